import { html, useState } from "vendor/preact";
import { get } from "../api.js";
import { has, shortDay, t } from "../i18n.js";
import { serverNow } from "../clock.js";
import { join, split } from "../letters.js";
import { address } from "../screen.js";
import { agents, interactions } from "../store.js";
import { Button, Icon } from "../ui/parts.js";

/** The hub's reason in the reader's language, where it is one of those it gives. @param {string} reason @returns {string} */
function worded(reason) {
  const moved = /^(split off|joined) by agent:([\w-]+); ?(.*)$/.exec(reason);
  if (moved) return `${t(moved[1] === "joined" ? "evidence.by.joined" : "evidence.by.split", { name: agents.get(moved[2])?.name ?? moved[2] })} ${worded(moved[3])}`;
  const joined = /^(\w+) by a participant$/.exec(reason);
  if (joined && has(`evidence.kind.${joined[1]}`)) return t("evidence.joined", { what: t(`evidence.kind.${joined[1]}`) });
  const kept = /^(\w+): (.+)$/.exec(reason);
  const why = kept && `evidence.why.${kept[2].replaceAll(" ", "_")}`;
  if (kept && why && has(why) && has(`evidence.kind.${kept[1]}`)) return t("evidence.apart", { what: t(`evidence.kind.${kept[1]}`), why: t(why) });
  const key = `evidence.${reason.replaceAll(" ", "_")}`;
  return has(key) ? t(key) : reason || t("evidence.unsaid");
}

/** Why a letter stands here; and what to do where that is wrong. @param {{ row: import("../types").MessageRow, letter: import("../types").LetterRow, held: import("../types").Conversation }} props */
export function Evidence({ row, letter, held }) {
  const [joining, setJoining] = useState(false);
  const [others, setOthers] = useState(/** @type {import("../types").TimelineItem[] | null} */ (null));
  const [busy, setBusy] = useState(false);
  const choose = async () => {
    setJoining(!joining);
    if (others) return;
    const answer = /** @type {any} */ (await get(`/customers/${encodeURIComponent(held.interaction.customer)}/timeline?kinds=interaction&limit=30`));
    setOthers(answer.ok ? answer.items : []);
  };
  const act = async (/** @type {() => Promise<unknown>} */ run) => {
    setBusy(true);
    await run();
    setBusy(false);
  };
  const alone = !held.earlier && held.messages.filter((one) => one.from === "customer").length < 2;
  const targets = (others ?? []).filter((one) => one.interaction && one.interaction !== held.id && one.channel_kind === held.interaction.channel_kind && one.interaction !== letter.linked);
  const option = (/** @type {string} */ id, /** @type {string} */ title, /** @type {string} */ hint) => html`<li key=${id}><button type="button" disabled=${busy} onClick=${() => act(() => join(held.id, id))}><${Icon} name="git-merge" /><span><b>${title}</b><small>${hint}</small></span></button></li>`;
  return html`<section class="evidence" aria-label=${t("letter.why")}><p>${worded(letter.evidence)}</p>
    ${letter.linked && html`<p class="evidence-linked"><${Icon} name="info" />${t("evidence.linked")} <a href=${address("work", letter.linked)}>${interactions.get(letter.linked)?.subject || t("evidence.linked.open")}</a></p>`}
    <div class="evidence-actions">${!alone && html`<${Button} small icon="split" busy=${busy} onClick=${() => act(() => split(held.id, row.n))}>${t("split.here")}<//>`}
      <${Button} small icon="git-merge" aria-expanded=${joining} onClick=${choose}>${t("join.start")}<//></div>
    ${joining && html`<ul class="evidence-targets" aria-label=${t("join.start")}>${letter.linked && option(letter.linked, interactions.get(letter.linked)?.subject || t("evidence.linked.open"), t("join.linked"))}
      ${targets.map((one) => option(/** @type {string} */ (one.interaction), one.title || t("interaction.untitled"), shortDay(one.at, serverNow())))}
      ${others && !targets.length && !letter.linked && html`<li class="quiet">${t("join.nothing")}</li>`}</ul>`}
  </section>`;
}
