"""What each operation asks of a caller, as a table; an operation that is not in it is a failure.

`needs`: the permission. `about`: `source` for things that belong to a source (what is outside of a
caller's sources is not there), `team` for things of the team as a whole, `own` for what only its
maker finds, `all` for what only callers without a limit may do, `lists` for reading what a caller
sees of it, `new` for making something.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TABLE = """
operation            needs                about   body
export_items         read                 lists
import_items         manage_sources       lists   =lines
list_items           read                 lists
get_item             read                 source
get_item_thread      read                 source
list_item_events     read                 source
get_counts           read                 lists
mark_item_replied    triage               source
dismiss_item         triage               source  {"reason": "duplicate"}
mark_item_spam       triage               source
reopen_item          triage               source
snooze_item          triage               source  {"until": "2026-11-24T09:00:00Z"}
unsnooze_item        triage               source
thank_for_item       triage               source
set_item_labels      triage               source  {"labels": []}
assign_item          triage               source  {"assignee": null}
claim_item           triage               source
release_item         triage               source
act_on_items         triage               new     {"action": "unsnooze", "ids": [999999]}
list_notes           read                 source
add_note             triage               source  {"text": "a note"}
change_note          triage               source  {"text": "a note"}
delete_note          triage               source
list_presence        read                 lists
say_presence         triage               new     {"item_id": 1, "state": ""}
report_response      read                 lists
report_backlog       read                 lists
list_actions         read                 lists
undo_action          triage               source
list_labels          read                 lists
create_label         triage               new     {"name": ""}
change_label         triage               all     {}
delete_label         triage               all
list_views           read                 lists
create_view          triage               new     {"name": ""}
get_view             read                 team
change_view          triage               made    {}
delete_view          triage               made
list_authors         read                 lists
get_author           read                 source
update_author        triage               source  {}
erase_author         erase                all     ?dry_run=true
list_policies        read                 lists
create_policy        manage_policies      new     {"name": ""}
get_policy           read                 source
update_policy        manage_policies      source  {}
delete_policy        manage_policies      source
list_rules           read                 lists
create_rule          manage_policies      all     =rule
test_rule            manage_policies      new     {"rule": {}, "text": "a"}
get_rule             read                 team
update_rule          manage_policies      all     {}
delete_rule          manage_policies      all
list_platforms       read                 lists
list_sources         read                 lists
create_source        manage_sources       new     {"name": ""}
check_source_draft   manage_sources       new     {"platform": ""}
get_source           read                 source
update_source        manage_sources       source  {}
delete_source        manage_sources       source
check_source         manage_sources       source
get_coverage         read                 lists
get_way_in           manage_sources       lists
begin_connection     manage_sources       new     {"source_id": 0}
get_connection       manage_sources       own
finish_connection    manage_sources       own     {}
give_up_connection   manage_sources       own
check_connection     manage_sources       own     {}
poll_source          manage_sources       source
pause_source         manage_sources       source
resume_source        manage_sources       source
list_runs            read                 source
pause_backfill       manage_sources       source
resume_backfill      manage_sources       source
list_quarantine      triage               lists
retry_quarantined    triage               source
list_events          read                 lists
stream_events        read                 stream
list_webhooks        manage_integrations  lists
create_webhook       manage_integrations  new     {"url": ""}
get_webhook          manage_integrations  source
update_webhook       manage_integrations  source  {}
delete_webhook       manage_integrations  source
send_test            manage_integrations  source
rotate_secret        manage_integrations  source
replay_events        manage_integrations  source  {"after": 0}
list_deliveries      manage_integrations  lists
retry_delivery       manage_integrations  source
get_me               read                 lists
list_tokens          manage_tokens        all
create_token         manage_tokens        all     {"name": "x", "role": "viewer", "user_id": 999999}
get_token            manage_tokens        all
update_token         manage_tokens        all     {}
delete_token         manage_tokens        all
list_users           read                 lists
create_user          manage_users         all     {"name": "zoe", "role": "viewer"}
get_user             read                 team
update_user          manage_users         all     {}
delete_user          manage_users         all
get_session          -                    open
sign_in              -                    open    {"name": ""}
sign_out             -                    open
set_up               -                    open    {"ticket": ""}
change_password      read                 new     {"current": ""}
create_sign_in_link  manage_users         all
list_sessions        read                 lists
end_sessions         read                 lists   ?keep=current
end_session          read                 own
get_identity         manage_users         all
put_identity         manage_users         all     {"email": "zoe@example.org"}
delete_identity      manage_users         all
list_audit           read_audit           all
export_audit         read_audit           all
"""


BODIES: Mapping[str, Mapping[str, Any]] = {
    "=lines": {"content": b"", "headers": {"Content-Type": "application/x-ndjson"}},
    "=rule": {
        "json": {"name": "ours", "conditions": {"kinds": ["review"]}, "effect": {"kind": "spam"}}
    },
}
"""What does not fit into a line of the table."""


@dataclass(frozen=True, slots=True)
class Row:
    needs: str
    about: str
    query: str
    options: Mapping[str, Any]


def _row(words: list[str]) -> Row:
    _, needs, about, *rest = words
    given = rest[0] if rest else ""
    if given.startswith("?"):
        return Row(needs, about, given, {})
    if given.startswith("="):
        return Row(needs, about, "", BODIES[given])
    return Row(needs, about, "", {"json": json.loads(given)} if given else {})


EXPECTED: Mapping[str, Row] = {
    line.split()[0]: _row(line.split(None, 3)) for line in TABLE.strip().splitlines()[1:]
}
