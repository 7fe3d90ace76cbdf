"""The sentences of the kiosk's page by their names; what each says stands in `locale/{language}/LC_MESSAGES/kiosk.po`.

A name that no catalogue has, or the other way round, is found by tests/device/screen/test_words.py; `make catalogues`
brings every language's catalogue up to the English one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from device.screen.catalogues import Plural


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Every sentence in one language."""

    language: str
    direction: str
    """`ltr` or `rtl`."""
    language_name: str
    """What the language calls itself."""

    # numbers, days, cameras
    minutes: Plural
    age_s: str
    age_min: str
    age_h: str
    days: Mapping[str, str]
    """By `monday` and so on."""
    on_day: str
    desk_camera: str
    student_camera: str
    desk: str
    student: str

    # before a session
    ready: str
    checking: str
    you_can_start: str
    press_start: str
    press_booking: str
    start_now: str
    planned: str
    starts_in: str
    starts_due: str
    due_for: str
    nothing_planned: str
    nothing_planned_now: str
    next_at: str
    next_in: str
    soon: str
    therapist_late: str
    called_off: str
    called_off_why: str
    no_booking_possible: str
    press_again_unplanned: str
    press_again: str
    press_again_booking: str
    tap_to_start: str

    # looking itself over
    looking: str
    looking_do: str
    looked_well: str
    looked_partly: str
    looked_ill: str

    # not ready, and refused
    something_wrong: str
    start_anyway: str
    unseen_desk: str
    unseen_student: str
    unseen_both: str
    poor_desk: str
    poor_student: str
    poor_both: str
    cameras_stay_off: str
    cannot_start: str
    cannot_start_yet: str
    no_camera: str
    no_storage: str
    updating: str
    not_helped: str
    not_helped_call: str

    # boot, power, fault, identify
    booting: str
    booting_do: str
    heard: str
    power_was_out: str
    was_interrupted: str
    goes_on_in: str
    call_for_help: str
    call_number_for_help: str
    cannot_keep_record: str
    no_start_now: str

    # in session
    starting: str
    cameras_start: str
    in_session: str
    waiting: str
    begin_activity: str
    connected: str
    therapist_joined: str
    offline: str
    offline_do: str
    offline_do_call: str
    offline_kept: str
    offline_kept_pictures: str
    no_picture_from: str
    no_picture_at_all: str
    session_goes_on: str
    past_end: str
    hold_to_end: str
    tap_for_time: str
    press_next: str
    until: str
    ends_itself_at: str
    ends_itself_in: str
    move_button: str
    move_button_why: str

    # picture cards
    card_confirmed: str
    card_group: Plural
    card_other: str
    card_another: str
    card_put_away: str
    card_not_recorded: str
    card_show: str
    card_until: str
    cards: Mapping[str, str]

    # paused, ending, ended
    paused: str
    paused_off: str
    paused_closing: str
    press_go_on: str
    going_on_in: str
    press_stay: str
    ending_in: str
    press_undo: str
    press_undo_paused: str
    ended: str
    press_continue: str
    ended_power: str
    ended_itself: str
    ended_fleet: str
    figure_session: str
    figure_planned: str
    figure_offline: str
    figure_paused: str
    figure_interrupted: str
    unknown_length: str
    length_between: str
    length_at_least: str
    lost_between: str
    lost_at_least: str
    lost_unknown: str

    # footer
    online: str
    connecting: str
    no_network: str
    no_network_for: str
    recorded: str
    not_recorded: str
    clock_unset: str
    clock_doubted: str
    foot_paused: str
    foot_session: str
    all_sent: str
    recordings_wait: str
    facts_wait: Plural
    not_on_disk: str
    help_call: str

    # tiles
    camera_missing: str
    camera_off: str
    camera_off_since: str
    camera_opening: str
    camera_unknown: str
    no_picture: str
    covered: str
    covered_since: str
    shuttered: str

    # controls
    act_start: str
    act_start_booking: str
    act_start_early: str
    act_continue: str
    act_press: str
    act_pause: str
    act_go_on: str
    act_stay: str
    act_next: str
    act_hold: str
    act_extend: str
    act_extend_done: Plural
    act_still_here: str
    act_still_here_done: str
    act_not_student: str
    act_not_student_done: str
    act_absent: str
    act_absent_one: str
    act_help: str
    act_help_over: str
    act_other: str
    act_other_done: str
    act_other_done_offline: str
    act_skip: str
    act_skipped: str
    act_written: str
    act_commission: str
    reasons: Mapping[str, str]

    # a call for an adult
    call_waits: str
    call_answered: str
    call_unanswered: str
    call_unanswered_number: str
    call_offline: str
    call_offline_number: str
    call_no_emergency: str
    roles: Mapping[str, str]

    # what was not as planned
    why_ended: str
    why_it_ended: str
    why_not_started: str
    why_not_held: str

    # the page itself
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

    # signals
    signal: Mapping[str, str]
    """What the page calls each, by its id."""
    do: Mapping[str, str]
    """The one thing to do about it: in English the signal table's own sentence."""
