"""What the page shows, as one frozen model: words, shape and colour together, and the controls that exist now."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Screen(StrEnum):
    """Which of the kiosk's screens is shown."""

    BOOTING = "booting"
    READY = "ready"
    NOT_READY = "not_ready"
    ASKING = "asking"
    STARTING = "starting"
    WAITING = "waiting"
    LIVE = "live"
    OFFLINE = "offline"
    PAUSED = "paused"
    ENDING = "ending"
    ENDED = "ended"
    REFUSED = "refused"
    FAULT = "fault"
    COUNTDOWN_POWER = "countdown_power"
    IDENTIFY = "identify"


class Tone(StrEnum):
    """A colour of tokens.css; it never stands without a shape and a word."""

    READY = "ready"
    ATTENTION = "attention"
    BLOCKED = "blocked"
    LIVE = "live"
    UNKNOWN = "unknown"


class Shape(StrEnum):
    """A symbol of the page's sprite."""

    OK = "ok"
    WARN = "warn"
    STOP = "stop"
    REC = "rec"
    BOX = "box"
    PAUSE = "pause"
    QUESTION = "question"
    WAIT = "wait"
    HERE = "here"


class Tap(StrEnum):
    """What a tap on the page does: in session it only shows the controls, because a child sits in front of it."""

    PRESS = "press"
    REVEAL = "reveal"
    NOTHING = "nothing"


class Kind(StrEnum):
    """How a control is used, and what it sends."""

    PRESS = "press"
    HOLD = "hold"
    ASK = "ask"
    GO = "go"
    """It leads to another page, the one at `value`."""
    OPEN = "open"
    """It shows the controls."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Clock(_Part):
    """How long the session has lasted; `ticking` clocks go on by themselves between two views."""

    elapsed_ms: int
    ticking: bool


class Figure(_Part):
    """One line of the ended session."""

    label: str
    value: str


class Tile(_Part):
    """One camera's place on the page."""

    role: str
    label: str
    show: bool
    """Whether there is a picture to fetch."""
    note: str = ""
    """Why there is none, or what is wrong with it."""
    bad: bool = False
    lost: str
    """What to say when a picture was promised and does not come."""


class Foot(_Part):
    """One text of the footer, with a clock behind it where it has one."""

    text: str
    strong: bool = False
    clock: Clock | None = None


class Action(_Part):
    """A control on the screen."""

    kind: Kind
    name: str
    value: str = ""
    label: str
    done: str = ""
    """What to say when it was done; nothing where the screen itself changes."""


class Labels(_Part):
    """What the page says of itself, in the language of the view."""

    page: str
    lost: str
    lost_do: str
    more: str
    back: str
    speak: str
    hold_on: str
    not_possible: str
    controls: str
    panel_hint: str
    pictures: str


class View(_Part):
    """Everything on the page at one instant. Durations are milliseconds, shares 0 to 1."""

    language: str
    direction: str
    """Which way the language is written: `ltr` or `rtl`."""
    screen: Screen
    tone: Tone
    shape: Shape
    headline: str
    do: str = ""
    """The one thing to do."""
    then: str = ""
    headline_pattern: str = ""
    """The headline with `{seconds}` where it counts down; empty when it does not."""
    do_pattern: str = ""
    notice: str = ""
    """A soft announcement, for a few seconds."""
    ask: str = ""
    """What the room is asked; the controls have the answers."""
    card: str = ""
    """Which picture cards were seen."""
    offer: Action | None = None
    """The one control that stands on the screen itself."""
    clock: Clock | None = None
    bar: float | None = Field(default=None, ge=0, le=1)
    bar_of_ms: int | None = None
    """How long the session is when the bar is full, for a bar that grows with the clock."""
    bar_label: str = ""
    countdown_to_ms: int | None = Field(default=None, ge=0)
    """What is left of the countdown at this instant."""
    countdown_of_ms: int | None = Field(default=None, gt=0)
    figures: tuple[Figure, ...] = ()
    tiles: tuple[Tile, ...] = ()
    tiles_on_tap: bool = False
    """The pictures belong to the controls, not to the screen."""
    footer: tuple[Foot, ...] = ()
    help: str = ""
    """Whom to call, at the right of the footer."""
    actions: tuple[Action, ...] = ()
    languages: tuple[Action, ...] = ()
    """The other languages: their key is always there."""
    tap: Tap = Tap.NOTHING
    labels: Labels
