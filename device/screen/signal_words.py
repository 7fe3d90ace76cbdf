"""What each signal of wire/signal_table.py is called on the page, what the aide can do, and what it means for a start.

In English the one thing to do is the table's own sentence, so that the page says what the fleet believes it says.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from device.screen.sentences import Words
from wire.signal_table import SIGNALS, words


class Means(StrEnum):
    """What a signal means for a session that is started anyway."""

    ANYWAY = "anyway"
    UNSEEN = "unseen"
    POOR = "poor"
    CAMERAS_OFF = "cameras_off"
    TAP = "tap"


@dataclass(frozen=True, slots=True)
class _Row:
    headline: tuple[str, str]
    do_es: str
    means: Means = Means.ANYWAY


CALM: Final = frozenset(
    name
    for name, signal in SIGNALS.items()
    if signal.aide.startswith("Nothing to do") or name in {"storage.critical", "link.down"}
)
"""Signals about which nobody in the room can do anything: the page says "You can start"."""

OUTSIDE: Final = frozenset({"link.filtered", "certificate.expired"})
"""What helps nobody while a session runs; the page says "no network" then."""

# fmt: off
_ROWS: Final = {
    "camera.missing": _Row(("{Camera} missing", "Falta la {camera}"),
        "Desenchufe el equipo, espere diez segundos y enchúfelo.", Means.UNSEEN),
    "camera.frozen": _Row(("The {camera} stands still", "La {camera} no se mueve"),
        "Mueva una mano delante de la {camera}.", Means.UNSEEN),
    "camera.covered": _Row(("Uncover the {camera}", "Destape la {camera}"),
        "Quite lo que tapa la {camera}.", Means.UNSEEN),
    "camera.shuttered": _Row(("Open the shutter", "Abra el obturador"),
        "Abra el obturador de la {camera}.", Means.UNSEEN),
    "camera.dark": _Row(("Too dark for the {camera}", "Poca luz para la {camera}"),
        "Encienda la luz.", Means.POOR),
    "camera.overexposed": _Row(("Too bright for the {camera}", "Demasiada luz para la {camera}"),
        "Baje la persiana o aparte la lámpara.", Means.POOR),
    "camera.blurred": _Row(("The {camera} is not sharp", "La {camera} no ve nítido"),
        "Limpie la {camera} con un paño suave.", Means.POOR),
    "camera.glare": _Row(("A bright spot on the page", "Hay un reflejo en la hoja"),
        "Gire la lámpara o incline la hoja hasta que no haya reflejo.", Means.POOR),
    "camera.moved": _Row(("The {camera} was moved", "La {camera} se ha movido"),
        "Vuelva a poner la cámara de la mesa sobre el tapete.", Means.POOR),
    "camera.swapped": _Row(("Cameras exchanged", "Cámaras cambiadas"),
        "Pida ayuda: las cámaras están cambiadas."),
    "mat.not_in_frame": _Row(("The mat is not in view", "El tapete no se ve"),
        "Ponga el tapete debajo de la cámara de la mesa.", Means.POOR),
    "audio.missing": _Row(("No sound", "No hay sonido"), "Enchufe el altavoz."),
    "audio.silent": _Row(("The microphone is silent", "El micrófono no oye nada"),
        "Compruebe que el micrófono no está apagado."),
    "link.filtered": _Row(("Network blocked", "Red bloqueada"),
        "Pida ayuda: la red de la escuela bloquea el equipo."),
    "storage.readonly": _Row(("No record can be kept", "No se puede guardar nada"),
        "Pida ayuda: el equipo no puede guardar su registro."),
    "power.undervoltage": _Row(("Weak power", "Poca corriente"), "Use el enchufe propio del equipo."),
    "heat.high": _Row(("The kiosk is hot", "El equipo está caliente"),
        "Deje sitio alrededor del equipo para que pase el aire."),
    "button.stuck": _Row(("The button is stuck", "El botón está atascado"),
        "Suelte el botón: algo lo aprieta.", Means.TAP),
    "lamp.mismatch": _Row(("The camera lamp is wrong", "La luz de cámara está mal"),
        "Pida ayuda: la luz de la cámara está mal.", Means.CAMERAS_OFF),
    "certificate.expired": _Row(("The kiosk may not connect", "El equipo no se puede conectar"),
        "Pida ayuda: el equipo no se puede conectar."),
    "session.overdue": _Row(("Time to start", "Es hora de empezar"), "Pulse el botón para empezar."),
    "therapist.absent": _Row(("The therapist is not there yet", "El terapeuta aún no está"),
        "Sigan con la actividad; el terapeuta todavía no está."),
}
# fmt: on

_CALM_ES: Final = {
    "camera.small": "No hay que hacer nada; la letra pequeña puede leerse mal.",
    "camera.slow": "No hay que hacer nada; la imagen puede ir a saltos.",
    "link.down": "Sin red: el terapeuta todavía no puede verles.",
    "link.poor": "No hay que hacer nada; la imagen puede ir a saltos.",
    "clock.unset": "No hay que hacer nada; el reloj se pone en hora cuando vuelva la red.",
    "clock.drift": "No hay que hacer nada.",
    "storage.low": "Aquí no hay que hacer nada.",
    "storage.critical": "Puede empezar; no se graba nada.",
    "storage.worn": "Aquí no hay que hacer nada.",
    "power.throttled": "Aquí no hay que hacer nada.",
    "certificate.expiring": "Aquí no hay que hacer nada.",
    "software.behind": "No hay que hacer nada.",
    "backlog.old": "No hay que hacer nada; todo se guarda aquí.",
    "agent.restarting": "Aquí no hay que hacer nada.",
    "schedule.stale": "No hay que hacer nada.",
}


@dataclass(frozen=True, slots=True)
class SignalWords:
    """A signal as the page says it."""

    headline: str
    do: str
    means: Means


def camera(w: Words, role: str | None) -> str:
    """What the camera of `role` is called within a sentence."""
    return w.desk_camera if role == "overhead" else w.student_camera


def signal_words(language: str, w: Words, signal_id: str, role: str | None) -> SignalWords:
    """The words for one signal; one that this release does not know is called by its id."""
    do = words(signal_id, role, "aide")
    row = _ROWS.get(signal_id)
    if row is None:
        calm = _CALM_ES.get(signal_id, do) if language == "es" else do
        return SignalWords(w.something_wrong if signal_id not in CALM else w.you_can_start, calm, Means.ANYWAY)
    name = camera(w, role)
    headline = row.headline[0]
    if language == "es":
        headline, do = row.headline[1], row.do_es.format(camera=name)
    return SignalWords(headline.format(camera=name, Camera=_capital(name)), do, row.means)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
