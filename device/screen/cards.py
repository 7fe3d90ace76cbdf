"""What the page says of picture cards: by the picture on them, never by whose they are."""

from device.kit import kit
from device.screen.model import Action, Kind
from device.screen.scene import Scene
from device.session import cards
from device.session.states import Session


def confirmed(scene: Scene, session: Session) -> str:
    """The small line about the cards that were seen in `session`; empty without any, or once somebody objected."""
    seen = cards.said_of(scene.state, session).confirmed
    if not seen or _objected(scene, session):
        return ""
    w = scene.w
    names = ", ".join(_name(scene, card) for _, card in seen)
    line = w.card_confirmed.format(cards=names)
    if session.booking is None and len(seen) > 1:
        line = f"{line} {w.card_group(len(seen))}"
    return line[0].upper() + line[1:]


def trouble(scene: Scene, session: Session) -> tuple[str, str]:
    """What to do about another booking's card, and what it means for recording; empty when there is nothing to do."""
    w, state = scene.w, scene.state
    if _objected(scene, session):
        return "", ""
    held_back = scene.snapshot.recording.reason == "other-card"
    lying = cards.lying_in(state, session).others
    if not lying:
        return (w.card_show, w.card_until) if cards.stops(state) and held_back else ("", "")
    booking = cards.other_booking(state, lying[0][1], scene.snapshot.at)
    whose = w.card_other.format(time=scene.time_of_day(booking.start)) if booking else w.card_another
    return f"{whose} {w.card_put_away}", w.card_not_recorded if held_back else ""


def offer(scene: Scene, session: Session) -> Action | None:
    """The one control that stands on the screen in session: another child's card says that it may be needed now."""
    w = scene.w
    if session.booking is None or not session.booking.students or not trouble(scene, session)[0]:
        return None
    return Action(kind=Kind.ASK, name="not-this-student", label=w.act_not_student, done=w.act_not_student_done)


def _objected(scene: Scene, session: Session) -> bool:
    return scene.state.wrong_student == session.id


def _name(scene: Scene, card: int) -> str:
    """The picture on a card; a card of a later kit is called by its number."""
    name = kit().cards.names.get(card, "")
    return scene.w.cards.get(name, name) or str(card)
