// The API's shapes by the names the page uses; api-types.d.ts is generated, this is not.
import type { components } from "./api-types";

type Schemas = components["schemas"];

export type Item = Schemas["ItemOut"];
export type ItemDetail = Schemas["ItemDetail"];
export type ItemList = Schemas["ItemList"];
export type Thread = Schemas["ThreadOut"];
export type ThreadEntry = Schemas["ThreadEntry"];
export type Reply = Schemas["ReplyOut"];
export type Author = Schemas["AuthorDetail"];
export type Counts = Schemas["Counts"];
export type Coverage = Schemas["Coverage"];
export type StreamCoverage = Schemas["StreamCoverage"];
export type View = Schemas["ViewOut"];
export type Label = Schemas["LabelOut"];
export type Note = Schemas["NoteOut"];
export type Event = Schemas["EventOut"];
export type Source = Schemas["SourceOut"];
export type Platform = Schemas["PlatformOut"];
export type Person = Schemas["PersonOut"];
export type User = Schemas["UserOut"];
export type Me = Schemas["Me"];
export type Bulk = Schemas["BulkOut"];
export type Undo = Schemas["UndoOut"];
export type Session = Schemas["SessionOut"];
export type Action = Schemas["ActionOut"];
export type Run = Schemas["RunOut"];
export type Quarantined = Schemas["QuarantinedOut"];
export type Check = Schemas["CheckOut"];
export type WayIn = Schemas["WayIn"];
export type Connection = Schemas["ConnectionOut"];
export type Token = Schemas["TokenOut"];
export type Webhook = Schemas["WebhookOut"];
export type ResponseReport = Schemas["ResponseReport"];
export type BacklogReport = Schemas["BacklogReport"];
export type Presence = Schemas["PresenceOut"];

/** The filter of a list: parameters of `GET /items`, lists where they are repeated. */
export type Filter = Record<string, string | number | boolean | (string | number | boolean)[]>;

/** What `GET /session` answers: who is here, and which ways in there are. */
export type SessionState = Schemas["SessionState"];
