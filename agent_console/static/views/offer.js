import { html, useEffect, useRef } from "vendor/preact";
import { accept, decline, isAccepting } from "../actions.js";
import { serverNow, ticking } from "../clock.js";
import { duration, t } from "../i18n.js";
import { goneOffer, kindOf, myOffers, queueName, queues, setGone } from "../store.js";
import { Button, Icon } from "../ui/parts.js";
import { useBusy } from "../ui/busy.js";
import { Menu } from "../ui/layers.js";
import { announce } from "../ui/live.js";
import { Tier } from "./tier.js";

const GONE_MS = 4000;
const DEAF_MS = 300;
const REASONS = ["busy", "skill", "language", "technical", "other"];

/** The most urgent offer, over the foot of the list so that no row moves. @param {{ place?: "list" | "floating" | "inline" }} props */
export function OfferDock({ place = "list" }) {
  const offers = myOffers.value;
  const gone = goneOffer();
  useEffect(() => {
    if (!gone) return;
    announce(goneText(gone), { topic: gone.offer.id });
    const timer = setTimeout(() => setGone(null), GONE_MS);
    return () => clearTimeout(timer);
  }, [gone]);
  if (!offers.length && !gone) return null;
  return html`<aside class=${`offer-dock ${place}`} aria-label=${t("section.offer")} data-region=${place === "floating" ? "offer" : undefined}>
    ${gone && html`<div class="offer-gone"><${Icon} name="info" /><span><b>${gone.offer.customer_name}</b> ${goneText(gone)}</span></div>`}
    ${offers[0] && html`<${OfferCard} key=${offers[0].id} offer=${offers[0]} more=${offers.length - 1} />`}
  </aside>`;
}

/** @param {import("../types").Gone} gone */
function goneText({ reason, by }) {
  if (reason === "taken") return by ? t("gone.taken", { name: by }) : t("gone.taken.else");
  return t(`gone.${reason}`);
}

/** One of the reasons, `code|what|level`, in the reader's language. @param {string} reason */
function whyText(reason) {
  const [code, what = "", level = ""] = reason.split("|");
  if (code === "rule") return t(`why.${what}`);
  if (code === "language") return t(`language.${what}`);
  return t(`why.${code}`, { name: what, level });
}

/** @param {{ offer: import("../types").OfferRow, more: number }} props */
function OfferCard({ offer, more }) {
  void ticking();
  const shownAt = useRef(performance.now());
  const [answering, run] = useBusy();
  const accepting = isAccepting(offer.id);
  const busy = answering || accepting;
  const left = Math.max(0, offer.deadline_at - serverNow());
  const waited = serverNow() - (offer.queued_at ?? offer.made_at);
  const target = queues.get(offer.queue)?.target_s;
  const late = target !== undefined && waited > target * 1000;
  /** A click meant for what stood there before is not an answer. @param {() => Promise<unknown>} what */
  const answer = (what) => (performance.now() - shownAt.current < DEAF_MS ? undefined : run(what));
  return html`<article class=${`offer ${left < 10_000 ? "urgent" : ""}`} data-offer=${offer.id} aria-label=${t("offer.label", { kind: t(`channel.${offer.channel_kind}`), name: offer.customer_name })}>
    <div class="offer-bar" aria-hidden="true"><${Progress} offer=${offer} /></div>
    <header><span class="offer-kind"><${Icon} name=${kindOf(offer.channel_kind).icon ?? "inbox"} />${t(`offer.incoming.${offer.channel_kind}`)}</span>
      ${more > 0 && html`<span class="offer-more">${t("offer.more", { n: more })}</span>`}
      <span class="offer-clock" role="timer" aria-live="off">${left > 99_000 ? duration(left) : `${Math.ceil(left / 1000)} s`}</span></header>
    <h2>${offer.customer_name}${offer.number && offer.number !== offer.customer_name && html` <span class="offer-number">${offer.number}</span>`}${offer.tier && html` <${Tier} tier=${offer.tier} />`}</h2>
    <p class="offer-queue">${queueName(offer.queue)} · ${t("offer.waited", { time: duration(waited) })}${target !== undefined && html`, <span class=${late ? "late" : ""}>${late && html`<${Icon} name="triangle-alert" size=${12} />`}${t("offer.target", { time: duration(target * 1000) })}</span>`}</p>
    <dl>${offer.why?.length > 0 && html`<div><dt>${t("offer.why")}</dt><dd>${offer.why.map(whyText).join(", ")}</dd></div>`}
      ${offer.before?.length > 0 && html`<div><dt>${t("offer.before")}</dt><dd>${offer.before.join(" › ")}</dd></div>`}</dl>
    <div class="offer-actions">
      <${Button} kind="primary" keys="Alt+Enter" busy=${busy} onClick=${() => answer(() => accept(offer))}>${t(`offer.accept.${offer.channel_kind}`)} <kbd aria-hidden="true">Alt ↵</kbd><//>
      <${Menu} class="decline" up align="end" disabled=${busy} label=${t("offer.decline")} trigger=${html`<span class="button plain"><span>${t("offer.decline")}</span><${Icon} name="chevron-down" size=${12} /></span>`}
        items=${[{ heading: true, label: t("decline.why") }, ...REASONS.map((id) => ({ id, label: t(`decline.${id}`), run: () => void answer(() => decline(offer, id)) }))]} />
    </div>
  </article>`;
}

/** The bar runs by the compositor, set once from the server's clock. @param {{ offer: import("../types").OfferRow }} props */
function Progress({ offer }) {
  const bar = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    const total = offer.deadline_at - offer.made_at;
    const motion = bar.current?.animate([{ transform: "scaleX(1)" }, { transform: "scaleX(0)" }], { duration: Math.max(1, total), fill: "forwards" });
    if (motion) motion.currentTime = Math.max(0, serverNow() - offer.made_at);
    return () => motion?.cancel();
  }, [offer.id]);
  return html`<i ref=${bar}></i>`;
}
