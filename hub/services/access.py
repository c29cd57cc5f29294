"""Who may see and do what. Every query about interactions carries a scope as part of its WHERE (security, 1)."""

from dataclasses import dataclass

from hub.domain.agent import Agent, Role
from hub.domain.errors import Forbidden
from hub.domain.interaction import Interaction


@dataclass(frozen=True, slots=True)
class Scope:
    """What one signed-in person sees. `queues` None means every queue."""

    agent: str
    role: Role
    queues: tuple[str, ...] | None = None

    @classmethod
    def of(cls, agent: Agent) -> "Scope":
        """Return the scope of a member of staff: supervisors and admins see every queue."""
        return cls(agent.id, agent.role, agent.queues if agent.role is Role.AGENT else None)

    @property
    def actor(self) -> str:
        """How the journal names this person."""
        return f"agent:{self.agent}"

    @property
    def sees_all(self) -> bool:
        """Whether no queue is hidden."""
        return self.queues is None

    def interactions(self, first: int, prefix: str = "") -> tuple[str, list[object]]:
        """Return a condition on the table `interactions` and its arguments, numbered from `$first`."""
        if self.queues is None:
            return "1 = 1", []
        condition = (
            f"({prefix}queue ANY_OF(${first}) OR {prefix}agent = ${first + 1} OR {prefix}direct_to = ${first + 1})"
        )
        return condition, [list(self.queues), self.agent]

    def sees(self, interaction: Interaction) -> bool:
        """Whether this person may see the interaction; the same rule as `interactions`."""
        return (
            self.queues is None
            or interaction.queue in self.queues
            or self.agent in (interaction.agent, interaction.direct_to)
        )

    def require_supervisor(self) -> None:
        """Raise unless this person may steer others' work.

        Raises:
            Forbidden: an agent may not.
        """
        if self.role is Role.AGENT:
            raise Forbidden("Supervisors only.")

    def require_admin(self) -> None:
        """Raise unless this person answers for the hub's settings.

        Raises:
            Forbidden: anybody else may not.
        """
        if self.role is not Role.ADMIN:
            raise Forbidden("Admins only.")
