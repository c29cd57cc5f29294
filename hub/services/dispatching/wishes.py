"""What an interaction asks of whoever takes it: noted in the journal as it enters a queue, and in routing's words."""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from hub.domain.events import Event
from hub.domain.ids import AgentId
from hub.domain.interaction import Interaction, Needs
from routing.model import SkillNeed


class Wishes(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An interaction's own needs, the one agent it is addressed to, and the one who knows it."""

    needs: Needs = Needs()
    direct_to: AgentId | None = None
    last_agent: AgentId | None = None

    @classmethod
    def of(cls, interaction: Interaction) -> "Wishes":
        """Return what the interaction asks as it stands."""
        return cls(needs=interaction.needs, direct_to=interaction.direct_to, last_agent=interaction.last_agent)

    @classmethod
    def noted(cls, event: Event) -> "Wishes":
        """Return what `text` noted in an event; nothing in events of earlier versions."""
        return msgspec.json.decode(str(event.facts.get("wishes") or "{}"), type=cls)

    def text(self) -> str | None:
        """Return what to note of them in the journal, JSON: None, most often."""
        text = msgspec.json.encode(self).decode()
        return text if text != "{}" else None

    def for_routing(self, skills: Collection[str]) -> dict[str, Any]:
        """Return the fields of a `WaitingInteraction`; `skills` are those that the policy knows, empty: all there are.

        Skills that the configuration no longer knows are left out: nobody could ever have them.
        """
        needs = self.needs
        if skills:
            needs = Needs(
                skills={skill: level for skill, level in needs.skills.items() if skill in skills},
                any_of=tuple(group for group in needs.any_of if all(skill in skills for skill in group)),
                best_skills=tuple(skill for skill in needs.best_skills if skill in skills),
            )
        return {
            "skills": _of(needs.skills),
            "any_of": tuple(_of(group) for group in needs.any_of),
            "best_skills": needs.best_skills,
            "only_agent_id": self.direct_to,
            "preferred_agent_ids": (self.last_agent,) if self.last_agent else (),
        }


def _of(skills: Mapping[str, int]) -> tuple[SkillNeed, ...]:
    return tuple(SkillNeed(skill, level) for skill, level in sorted(skills.items()))
