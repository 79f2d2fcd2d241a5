// Made from docs/openapi.json by `python -m tests.page.tools`: do not edit.

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        AccessOut: {
            review: string;
            shortest: string;
            price: string;
        };
        ActionList: {
            items: components["schemas"]["ActionOut"][];
            next_cursor: string | null;
        };
        ActionOut: {
            id: number;
            /** Format: date-time */
            at: string;
            actor_kind: string;
            actor: string;
            action: string;
            params: Record<string, never>;
            items: number;
            undone_at: string | null;
            undone_by: number | null;
        };
        AnswerOut: {
            evidence: string;
            answered_at: string | null;
            answered_by: string | null;
            reply_url: string | null;
        };
        Assign: {
            assignee: number | string | null;
        };
        AssigneeCount: {
            assignee: components["schemas"]["PersonOut"];
            unanswered: number;
        };
        AttemptError: {
            code: string;
            detail: string;
        };
        AuditList: {
            items: components["schemas"]["AuditRow"][];
            next_cursor: string | null;
        };
        AuditRow: {
            id: number;
            at: string;
            actor: components["schemas"]["TrailActor"];
            token_id: number | null;
            session_id: number | null;
            address: string | null;
            request_id: string | null;
            operation: string;
            outcome: string;
            status: number | null;
            object: string | null;
            source_id: number | null;
            before_hash: string | null;
            after_hash: string | null;
            details: Record<string, never>;
        };
        AuthorCondition: {
            handles?: string[];
            younger_than_days?: number | null;
            followers_below?: number | null;
            is_bot?: boolean | null;
            first_message?: boolean | null;
            signals?: string[];
        };
        AuthorDetail: {
            id: number;
            platform: string;
            instance: string;
            external_id: string;
            handle: string;
            display_name: string;
            url: string;
            avatar_url: string;
            followers: number | null;
            is_bot: boolean;
            created_at: string | null;
            /** Format: date-time */
            first_seen_at: string;
            signals: components["schemas"]["SignalOut"][];
            muted: boolean;
            muted_at: string | null;
            notes: string;
            version: number;
            history: components["schemas"]["HistoryOut"];
            by_source: components["schemas"]["SourceHistory"][];
            recent: components["schemas"]["ItemOut"][];
        };
        AuthorList: {
            items: components["schemas"]["AuthorSummary"][];
            next_cursor: string | null;
        };
        AuthorOut: {
            id: number;
            handle: string;
            display_name: string;
            url: string;
            avatar_url: string;
            followers: number | null;
            is_bot: boolean;
            signals: components["schemas"]["SignalOut"][];
        };
        AuthorPatch: {
            muted?: boolean | null;
            notes?: string | null;
        };
        AuthorSummary: {
            id: number;
            platform: string;
            instance: string;
            external_id: string;
            handle: string;
            display_name: string;
            url: string;
            avatar_url: string;
            followers: number | null;
            is_bot: boolean;
            created_at: string | null;
            /** Format: date-time */
            first_seen_at: string;
            signals: components["schemas"]["SignalOut"][];
            muted: boolean;
            muted_at: string | null;
            notes: string;
            version: number;
        };
        BackfillOut: {
            done: boolean;
            paused: boolean;
            read: number;
            since: string | null;
            back_to: string | null;
        };
        BacklogReport: {
            /** Format: date-time */
            as_of: string;
            total: number;
            by_age: {
                [key: string]: number;
            };
            by_platform: components["schemas"]["PlatformAges"][];
            from: string;
            to: string;
            time_zone: string;
            hours: components["schemas"]["WeekdayHours"][];
            coverage: components["schemas"]["Coverage"];
        };
        BudgetOut: {
            unit: string;
            limit: number;
            period: string;
            zone: string;
        };
        Bulk: {
            /** @enum {string} */
            action: "mark_replied" | "dismiss" | "spam" | "reopen" | "snooze" | "unsnooze" | "assign" | "claim" | "release" | "thank" | "label" | "note";
            ids?: number[] | null;
            filter?: {
                [key: string]: string | boolean | number | (string | boolean | number)[];
            } | null;
            params?: {
                [key: string]: unknown;
            };
        };
        BulkOut: {
            action_id: number | null;
            changed: number;
            unchanged: number;
            refused: number;
            results: components["schemas"]["BulkResult"][];
        };
        BulkResult: {
            item_id: number;
            ok: boolean;
            changed: boolean;
            item: components["schemas"]["ItemOut"] | null;
            problem: components["schemas"]["RefusalOut"] | null;
        };
        CalendarIn: {
            time_zone: string;
            hours: {
                [key: string]: components["schemas"]["IntervalIn"][];
            };
            holidays?: string[];
        };
        CalendarOut: {
            time_zone: string;
            hours: {
                [key: string]: components["schemas"]["IntervalOut"][];
            };
            holidays: string[];
        };
        CheckOut: {
            ok: boolean;
            identity: components["schemas"]["IdentityOut"] | null;
            rights: string[];
            missing: string[];
            sample: components["schemas"]["SampleOut"] | null;
            warnings: string[];
            estimate: components["schemas"]["EstimateOut"] | null;
            budget: components["schemas"]["BudgetOut"] | null;
            error: components["schemas"]["TroubleOut"] | null;
        };
        ClaimOut: {
            by: components["schemas"]["PersonOut"];
            /** Format: date-time */
            until: string;
        };
        Conditions: {
            text?: components["schemas"]["TextCondition"][];
            /**
             * @default all
             * @enum {string}
             */
            text_match: "all" | "any";
            links?: components["schemas"]["LinkCondition"] | null;
            author?: components["schemas"]["AuthorCondition"] | null;
            platforms?: string[];
            source_ids?: number[];
            kinds?: components["schemas"]["Kind"][];
            languages?: string[];
        };
        ConnectionCheck: {
            account?: string | null;
        };
        ConnectionFinish: {
            poll_interval?: number | null;
            backfill?: string | null;
            backlog_after?: string | null;
            also_us?: string[];
            labels?: string[];
            budget?: number | null;
            account?: string | null;
            name?: string | null;
        };
        ConnectionNew: {
            settings?: {
                [key: string]: unknown;
            };
            client_id?: string | null;
            client_secret?: string | null;
            source_id?: number | null;
        };
        ConnectionOut: {
            id: number;
            platform: string;
            status: string;
            authorize_url: string | null;
            open_url: string | null;
            redirect_uri: string;
            accounts: components["schemas"]["OpenedAccount"][];
            source_id: number | null;
            error: components["schemas"]["NotConnected"] | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            expires_at: string;
        };
        Counts: {
            /** Format: date-time */
            as_of: string;
            total: number;
            by_status: {
                [key: string]: number;
            };
            unanswered: components["schemas"]["UnansweredCounts"];
            by_platform: {
                [key: string]: number;
            };
            by_source: components["schemas"]["SourceCount"][];
            by_assignee: components["schemas"]["AssigneeCount"][];
            by_age: {
                [key: string]: number;
            };
            oldest_unanswered: components["schemas"]["OldestOut"] | null;
            coverage: components["schemas"]["Coverage"];
        };
        Coverage: {
            /** Format: date-time */
            as_of: string;
            complete: boolean;
            streams: components["schemas"]["StreamCoverage"][];
        };
        DeliveryList: {
            items: components["schemas"]["DeliveryOut"][];
            next_cursor: string | null;
        };
        DeliveryOut: {
            id: number;
            webhook_id: number;
            message_id: string;
            seq: number;
            type: string;
            source_id: number | null;
            item_id: number | null;
            state: string;
            attempts: number;
            due_at: string | null;
            last_status: number | null;
            error: components["schemas"]["AttemptError"] | null;
            /** Format: date-time */
            created_at: string;
            finished_at: string | null;
        };
        Dismiss: {
            reason: components["schemas"]["DismissReason"];
            note?: string | null;
        };
        /** @enum {string} */
        DismissReason: "no_reply_needed" | "duplicate" | "handled_elsewhere" | "not_for_us" | "backlog" | "other";
        Effect: {
            /** @enum {string} */
            kind: "signal" | "question" | "label" | "dismiss" | "spam";
            code?: string | null;
            reason?: string | null;
            labels?: string[] | null;
        };
        EndLine: {
            end: boolean;
            items: number;
            /** Format: date-time */
            exported_at: string;
        };
        ErasureOut: {
            dry_run: boolean;
            items: number;
            messages: number;
            texts: number;
            bodies: number;
        };
        EstimateOut: {
            unit: string;
            per_day: number;
            detail: string;
        };
        EventFeed: {
            items: components["schemas"]["EventOut"][];
            next_after: number;
            more: boolean;
            missed: boolean;
        };
        EventList: {
            items: components["schemas"]["EventOut"][];
            next_cursor: string | null;
        };
        EventOut: {
            id: string;
            seq: number;
            /** Format: date-time */
            at: string;
            type: string;
            source_id: number | null;
            item_id: number | null;
            item_version: number | null;
            actor_kind: string;
            actor: string;
            actor_user_id: number | null;
            from_status: string | null;
            to_status: string | null;
            evidence: string | null;
            action_id: number | null;
            details: Record<string, never> | null;
        };
        Excluded: {
            dismissed: number;
            spam: number;
            removed: number;
            backlog: number;
            negative: number;
        };
        Force: {
            /** @default false */
            force: boolean;
        };
        GapOut: {
            from: string | null;
            to: string | null;
            cause: string;
        };
        HistoryOut: {
            messages: number;
            asked: number;
            answered: number;
            waiting: number;
            dismissed: number;
            spam: number;
            median_answer_seconds: number | null;
            negative_answer_times: number;
            first_at: string | null;
            last_at: string | null;
        };
        IdentityOut: {
            id: string;
            handle: string;
            name: string;
        };
        IdentityPut: {
            email?: string | null;
            subject?: string | null;
        };
        Imported: {
            new: number;
            known: number;
            failed: number;
            complete: boolean | null;
            results: components["schemas"]["LineResult"][];
        };
        IntervalIn: {
            start: string;
            end: string;
        };
        IntervalOut: {
            start: string;
            end: string;
        };
        ItemDetail: {
            id: number;
            platform: string;
            source_id: number;
            source_name: string;
            stream: string;
            kind: string;
            status: string;
            needs_reply: boolean;
            visibility: string;
            held: boolean;
            time_suspect: boolean;
            thread_title: string;
            value: components["schemas"]["ValueOut"];
            text: string;
            text_raw: string;
            text_format: string;
            language: string;
            permalink: string;
            external_id: string;
            thread_id: number;
            parent_external_id: string | null;
            author: components["schemas"]["AuthorOut"];
            /** Format: date-time */
            occurred_at: string;
            /** Format: date-time */
            first_seen_at: string;
            edited_at: string | null;
            age_seconds: number | null;
            due_at: string | null;
            overdue: boolean;
            snoozed_until: string | null;
            backlog: boolean;
            assignee: components["schemas"]["PersonOut"] | null;
            claim: components["schemas"]["ClaimOut"] | null;
            labels: string[];
            note_count: number;
            possibly_answered: boolean;
            edited_after_answer: boolean;
            reply_unverified: boolean;
            acknowledged_at: string | null;
            community_replies: number;
            answer: components["schemas"]["AnswerOut"] | null;
            dismissed_reason: string | null;
            signals: components["schemas"]["ItemSignalOut"][];
            media: components["schemas"]["MediaOut"][];
            external_links: string[];
            version: number;
            allowed_actions: string[];
            replies: components["schemas"]["ReplyOut"][];
            thread: components["schemas"]["ThreadSummary"];
            revisions: components["schemas"]["RevisionOut"][];
            raw: string | null;
        };
        ItemLine: {
            id: number;
            platform: string;
            source_id: number;
            source_name: string;
            stream: string;
            kind: string;
            status: string;
            needs_reply: boolean;
            visibility: string;
            held: boolean;
            time_suspect: boolean;
            thread_title: string;
            value: components["schemas"]["ValueOut"];
            text: string;
            text_raw: string;
            text_format: string;
            language: string;
            permalink: string;
            external_id: string;
            thread_id: number;
            parent_external_id: string | null;
            author: components["schemas"]["AuthorOut"];
            /** Format: date-time */
            occurred_at: string;
            /** Format: date-time */
            first_seen_at: string;
            edited_at: string | null;
            age_seconds: number | null;
            due_at: string | null;
            overdue: boolean;
            snoozed_until: string | null;
            backlog: boolean;
            assignee: components["schemas"]["PersonOut"] | null;
            claim: components["schemas"]["ClaimOut"] | null;
            labels: string[];
            note_count: number;
            possibly_answered: boolean;
            edited_after_answer: boolean;
            reply_unverified: boolean;
            acknowledged_at: string | null;
            community_replies: number;
            answer: components["schemas"]["AnswerOut"] | null;
            dismissed_reason: string | null;
            signals: components["schemas"]["ItemSignalOut"][];
            media: components["schemas"]["MediaOut"][];
            external_links: string[];
            version: number;
            allowed_actions: string[];
            writer: components["schemas"]["WriterLine"];
            thread: components["schemas"]["ThreadLine"];
            dismissed_note: string | null;
            replies: components["schemas"]["ReplyLine"][];
        };
        ItemList: {
            items: components["schemas"]["ItemOut"][];
            next_cursor: string | null;
            /** Format: date-time */
            as_of: string;
            coverage: components["schemas"]["Coverage"];
            search: components["schemas"]["SearchState"] | null;
        };
        ItemOut: {
            id: number;
            platform: string;
            source_id: number;
            source_name: string;
            stream: string;
            kind: string;
            status: string;
            needs_reply: boolean;
            visibility: string;
            held: boolean;
            time_suspect: boolean;
            thread_title: string;
            value: components["schemas"]["ValueOut"];
            text: string;
            text_raw: string;
            text_format: string;
            language: string;
            permalink: string;
            external_id: string;
            thread_id: number;
            parent_external_id: string | null;
            author: components["schemas"]["AuthorOut"];
            /** Format: date-time */
            occurred_at: string;
            /** Format: date-time */
            first_seen_at: string;
            edited_at: string | null;
            age_seconds: number | null;
            due_at: string | null;
            overdue: boolean;
            snoozed_until: string | null;
            backlog: boolean;
            assignee: components["schemas"]["PersonOut"] | null;
            claim: components["schemas"]["ClaimOut"] | null;
            labels: string[];
            note_count: number;
            possibly_answered: boolean;
            edited_after_answer: boolean;
            reply_unverified: boolean;
            acknowledged_at: string | null;
            community_replies: number;
            answer: components["schemas"]["AnswerOut"] | null;
            dismissed_reason: string | null;
            signals: components["schemas"]["ItemSignalOut"][];
            media: components["schemas"]["MediaOut"][];
            external_links: string[];
            version: number;
            allowed_actions: string[];
        };
        ItemSignalOut: {
            code: string;
            reason: string;
            rule_id: number | null;
        };
        /** @enum {string} */
        Kind: "question" | "comment" | "mention" | "reply" | "review" | "direct_message" | "follow" | "share" | "praise";
        KnownBy: {
            user_id: number;
            email: string | null;
            issuer: string | null;
            subject: string | null;
            linked_at: string | null;
        };
        LabelChanged: {
            name?: string | null;
            colour?: string | null;
        };
        LabelList: {
            items: components["schemas"]["LabelOut"][];
            next_cursor: string | null;
        };
        LabelNew: {
            name: string;
            colour?: string | null;
        };
        LabelOut: {
            id: number;
            name: string;
            colour: string | null;
            /** Format: date-time */
            created_at: string;
            version: number;
        };
        Labels: {
            labels: string[];
        };
        LineError: {
            code: string;
            detail: string;
        };
        LineResult: {
            line: number;
            result: string;
            id: number | null;
            error: components["schemas"]["LineError"] | null;
        };
        LinkCondition: {
            /** @default 1 */
            at_least: number;
            hosts?: string[];
        };
        LostOut: {
            cause: string;
            detail: string;
            /** @default null */
            from: string | null;
            /** @default null */
            to: string | null;
        };
        MarkReplied: {
            reply_url?: string | null;
            replied_at?: string | null;
            note?: string | null;
        };
        MarkSpam: {
            /** @default false */
            mute_author: boolean;
        };
        Me: {
            kind: string;
            id: number;
            name: string;
            user: components["schemas"]["PersonOut"] | null;
            role: string;
            permissions: string[];
            rights: string[];
            source_ids: number[] | null;
            expires_at: string | null;
        };
        MediaOut: {
            kind: string;
            url: string;
            description: string;
        };
        NotConnected: {
            code: string;
            detail: string;
        };
        NoteList: {
            items: components["schemas"]["NoteOut"][];
            next_cursor: string | null;
        };
        NoteNew: {
            text: string;
        };
        NoteOut: {
            id: number;
            item_id: number;
            text: string;
            author: string;
            /** Format: date-time */
            created_at: string;
            edited_at: string | null;
        };
        OAuthOut: {
            offered: boolean;
            needs_client: boolean;
            scopes: string[];
            chosen: string[];
        };
        OidcWay: {
            name: string;
            url: string;
        };
        OldestOut: {
            id: number;
            /** Format: date-time */
            occurred_at: string;
        };
        OpenedAccount: {
            id: string;
            handle: string;
            name: string;
        };
        PasswordChange: {
            current: string;
            new: string;
        };
        PersonOut: {
            id: number;
            name: string;
            display_name: string;
        };
        PlatformAges: {
            platform: string;
            total: number;
            by_age: {
                [key: string]: number;
            };
        };
        PlatformList: {
            items: components["schemas"]["PlatformOut"][];
            /** @default null */
            next_cursor: string | null;
        };
        PlatformOut: {
            name: string;
            title: string;
            settings_schema: Record<string, never>;
            credential_schema: Record<string, never> | null;
            credential_required: boolean;
            capabilities: Record<string, never>;
            default_interval: number;
            minimum_interval: number;
            notes: string[];
            docs: string;
            access: components["schemas"]["AccessOut"];
            retention: components["schemas"]["RetentionOut"] | null;
            oauth: components["schemas"]["OAuthOut"];
            quota: components["schemas"]["BudgetOut"] | null;
        };
        PolicyList: {
            items: components["schemas"]["PolicyOut"][];
            next_cursor: string | null;
        };
        PolicyNew: {
            name: string;
            /** Format: duration */
            target: string;
            source_id?: number | null;
            label?: string | null;
            kinds?: components["schemas"]["Kind"][];
            calendar?: components["schemas"]["CalendarIn"] | null;
        };
        PolicyOut: {
            id: number;
            name: string;
            target: string;
            source_id: number | null;
            label: string | null;
            kinds: string[];
            calendar: components["schemas"]["CalendarOut"] | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
            version: number;
        };
        PolicyPatch: {
            name?: string | null;
            target?: string | null;
            source_id?: number | null;
            label?: string | null;
            kinds?: components["schemas"]["Kind"][] | null;
            calendar?: components["schemas"]["CalendarIn"] | null;
        };
        PresenceList: {
            items: components["schemas"]["PresenceOut"][];
            next_cursor: string | null;
        };
        PresenceNew: {
            item_id: number;
            /** @enum {string} */
            state: "viewing" | "drafting" | "gone";
        };
        PresenceOut: {
            item_id: number;
            people: components["schemas"]["PresentOut"][];
        };
        PresentOut: {
            person: components["schemas"]["PersonOut"];
            state: string;
        };
        Problem: {
            /** Format: uri-reference */
            type: string;
            title: string;
            status: number;
            detail: string;
            code: string;
            request_id: string | null;
            errors?: {
                pointer: string;
                code: string;
                detail: string;
                offset?: number;
                length?: number;
            }[];
        };
        QuarantineList: {
            items: components["schemas"]["QuarantinedOut"][];
            next_cursor: string | null;
        };
        QuarantinedOut: {
            id: number;
            source_id: number;
            source_name: string;
            platform: string;
            stream: string;
            external_id: string | null;
            reason: string;
            raw: string;
            /** Format: date-time */
            first_seen_at: string;
            /** Format: date-time */
            last_seen_at: string;
            attempts: number;
        };
        QuotaOut: {
            unit: string;
            limit: number;
            spent: number;
            spent_elsewhere: number;
            left: number;
            /** Format: date-time */
            resets_at: string;
        };
        RefusalOut: {
            status: number;
            code: string;
            title: string;
            detail: string;
            current_status: string | null;
            allowed_actions: string[] | null;
        };
        Replay: {
            after: number;
        };
        ReplyLine: {
            external_id: string;
            answers: boolean;
            writer: components["schemas"]["WriterLine"];
            text: string;
            /** @default  */
            text_raw: string;
            /** @default plain */
            text_format: string;
            /** @default  */
            language: string;
            /** @default  */
            permalink: string;
            /** @default public */
            visibility: string;
            /** @default null */
            parent_external_id: string | null;
            /** @default false */
            automated: boolean;
            occurred_at: string;
        };
        ReplyOut: {
            id: number;
            external_id: string | null;
            origin: string;
            automated: boolean;
            author_handle: string;
            author_name: string;
            text: string;
            text_format: string;
            permalink: string;
            visibility: string;
            parent_external_id: string | null;
            /** Format: date-time */
            occurred_at: string;
            edited_at: string | null;
        };
        ResponseNumbers: {
            total: number;
            answered: number;
            waiting: number;
            answered_share: number | null;
            answered_median_seconds: number | null;
            answered_p90_seconds: number | null;
            waited_median: components["schemas"]["WaitedOut"] | null;
            waited_p90: components["schemas"]["WaitedOut"] | null;
        };
        ResponseReport: {
            /** Format: date-time */
            as_of: string;
            from: string;
            to: string;
            time_zone: string;
            period: string;
            by: string;
            total: components["schemas"]["ResponseNumbers"];
            rows: components["schemas"]["ResponseRow"][];
            excluded: components["schemas"]["Excluded"];
            coverage: components["schemas"]["Coverage"];
        };
        ResponseRow: {
            /** Format: date-time */
            start: string;
            /** Format: date-time */
            end: string;
            platform: string | null;
            source: components["schemas"]["SourceNamed"] | null;
            person: string | null;
            numbers: components["schemas"]["ResponseNumbers"];
        };
        RetentionOut: {
            source: string;
            refresh_within: string | null;
            wipe_gone: boolean;
        };
        RevisionOut: {
            text: string;
            text_raw: string;
            edited_at: string | null;
            /** Format: date-time */
            replaced_at: string;
        };
        /** @enum {string} */
        Right: "direct";
        /** @enum {string} */
        Role: "viewer" | "agent" | "admin";
        RuleDraft: {
            conditions: components["schemas"]["Conditions"];
            effect: components["schemas"]["Effect"];
        };
        RuleList: {
            items: components["schemas"]["RuleOut"][];
            next_cursor: string | null;
        };
        RuleNew: {
            name: string;
            /** @default true */
            enabled: boolean;
            /** @default 100 */
            place: number;
            conditions: components["schemas"]["Conditions"];
            effect: components["schemas"]["Effect"];
        };
        RuleOut: {
            id: number;
            name: string;
            enabled: boolean;
            place: number;
            origin: string;
            edited: boolean;
            conditions: Record<string, never>;
            effect: Record<string, never>;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
            version: number;
        };
        RulePatch: {
            name?: string | null;
            enabled?: boolean | null;
            place?: number | null;
            conditions?: components["schemas"]["Conditions"] | null;
            effect?: components["schemas"]["Effect"] | null;
        };
        RuleTried: {
            text: boolean | null;
            looked_at: number;
            more: boolean;
            matched: number;
            item_ids: number[];
            applied: number | null;
        };
        RuleTry: {
            rule_id?: number | null;
            rule?: components["schemas"]["RuleDraft"] | null;
            text?: string | null;
            item_ids?: number[] | null;
            filter?: {
                [key: string]: string | boolean | number | (string | boolean | number)[];
            } | null;
            /** @default false */
            apply: boolean;
        };
        RunList: {
            items: components["schemas"]["RunOut"][];
            next_cursor: string | null;
        };
        RunOut: {
            id: number;
            /** Format: date-time */
            started_at: string;
            finished_at: string | null;
            outcome: string | null;
            pages: number | null;
            seen: number | null;
            new: number | null;
            updated: number | null;
            unchanged: number | null;
            replies_seen: number | null;
            quarantined: number | null;
            recovered: number | null;
            erased: number | null;
            requests: number | null;
            error: components["schemas"]["TroubleOut"] | null;
        };
        SampleOut: {
            count: number;
            newest_at: string | null;
        };
        SearchState: {
            complete: boolean;
            waiting: number;
        };
        SessionList: {
            items: components["schemas"]["SessionOut"][];
            next_cursor: string | null;
        };
        SessionNew: {
            name: string;
            password: string;
        };
        SessionOut: {
            id: number;
            user: components["schemas"]["PersonOut"];
            way: string;
            address: string;
            user_agent: string;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            last_seen_at: string;
            /** Format: date-time */
            expires_at: string;
            current: boolean;
        };
        SessionState: {
            signed_in: components["schemas"]["Me"] | null;
            set_up_needed: boolean;
            ways: components["schemas"]["Ways"];
        };
        SetUpBody: {
            ticket: string;
            name?: string | null;
            display_name?: string | null;
            password: string;
        };
        SignInLink: {
            url: string;
            /** Format: date-time */
            expires_at: string;
        };
        SignalOut: {
            code: string;
            reason: string;
        };
        Snooze: {
            /** Format: date-time */
            until: string;
        };
        SourceCount: {
            source_id: number;
            source_name: string;
            platform: string;
            unanswered: number;
            total: number;
        };
        SourceDraft: {
            platform: string;
            settings?: {
                [key: string]: unknown;
            };
            credential?: {
                [key: string]: string;
            } | null;
        };
        SourceHistory: {
            source_id: number;
            source_name: string;
            platform: string;
            messages: number;
            asked: number;
            answered: number;
            waiting: number;
            first_at: string | null;
            last_at: string | null;
        };
        SourceList: {
            items: components["schemas"]["SourceOut"][];
            /** @default null */
            next_cursor: string | null;
        };
        SourceNamed: {
            id: number;
            name: string;
            platform: string;
        };
        SourceNew: {
            poll_interval?: number | null;
            backfill?: string | null;
            backlog_after?: string | null;
            also_us?: string[];
            labels?: string[];
            budget?: number | null;
            platform: string;
            settings?: {
                [key: string]: unknown;
            };
            credential?: {
                [key: string]: string;
            } | null;
            name: string;
        };
        SourceOut: {
            id: number;
            platform: string;
            name: string;
            settings: Record<string, never>;
            identity: components["schemas"]["IdentityOut"] | null;
            credential_set_at: string | null;
            credential_expires_at: string | null;
            checked_at: string | null;
            poll_interval: number;
            backfill: string;
            backlog_after: string;
            also_us: string[];
            labels: string[];
            budget: number | null;
            quota: components["schemas"]["QuotaOut"] | null;
            paused: boolean;
            state: string;
            error: components["schemas"]["TroubleOut"] | null;
            next_poll_at: string | null;
            last_ok_at: string | null;
            /** Format: date-time */
            created_at: string;
            warnings: string[];
            version: number;
            streams: components["schemas"]["StreamOut"][];
        };
        SourcePatch: {
            name?: string | null;
            settings?: {
                [key: string]: unknown;
            } | null;
            credential?: {
                [key: string]: string;
            } | null;
            poll_interval?: number | null;
            backlog_after?: string | null;
            also_us?: string[] | null;
            labels?: string[] | null;
            budget?: number | null;
        };
        StreamCoverage: {
            source_id: number;
            source_name: string;
            platform: string;
            stream: string;
            state: string;
            cause: string | null;
            covered_from: string | null;
            covered_through: string | null;
            last_ok_at: string | null;
            open_gaps: components["schemas"]["GapOut"][];
            recovered_24h: number;
            backfill: components["schemas"]["BackfillOut"];
            /** @default [] */
            lost: components["schemas"]["LostOut"][];
        };
        StreamOut: {
            name: string;
            shape: string;
            state: string;
            cause: string | null;
            covered_from: string | null;
            covered_through: string | null;
            last_ok_at: string | null;
            next_poll_at: string | null;
            error: components["schemas"]["TroubleOut"] | null;
            backfill: components["schemas"]["BackfillOut"];
            gaps_open: number;
            recovered_24h: number;
            quarantined: number;
            skipped: {
                [key: string]: number;
            };
            detection_lag_seconds: number | null;
            lost: components["schemas"]["LostOut"][];
        };
        TextCondition: {
            any: string[];
            /**
             * @default anywhere
             * @enum {string}
             */
            where: "anywhere" | "sentence_start" | "sentence_end";
            /** @default false */
            negated: boolean;
        };
        Thank: {
            note?: string | null;
        };
        ThreadEntry: {
            item: components["schemas"]["ItemOut"] | null;
            reply: components["schemas"]["ReplyOut"] | null;
        };
        ThreadLine: {
            external_id: string;
            /** @default  */
            title: string;
            /** @default  */
            permalink: string;
            /** @default null */
            started_at: string | null;
        };
        ThreadOut: {
            thread: components["schemas"]["ThreadSummary"];
            entries: components["schemas"]["ThreadEntry"][];
            truncated: boolean;
            next_cursor: string | null;
        };
        ThreadSummary: {
            id: number;
            external_id: string;
            title: string;
            permalink: string;
            items: number;
            unanswered: number;
            replies: number;
        };
        TokenList: {
            items: components["schemas"]["TokenOut"][];
            next_cursor: string | null;
        };
        TokenMade: {
            id: number;
            name: string;
            role: string;
            rights: string[];
            source_ids: number[] | null;
            user: components["schemas"]["PersonOut"] | null;
            last4: string;
            /** Format: date-time */
            created_at: string;
            created_by: string;
            expires_at: string | null;
            last_used_at: string | null;
            revoked_at: string | null;
            version: number;
            secret: string;
        };
        TokenNew: {
            name: string;
            role: components["schemas"]["Role"];
            rights?: components["schemas"]["Right"][];
            source_ids?: number[] | null;
            expires_at?: string | null;
            user_id?: number | null;
        };
        TokenOut: {
            id: number;
            name: string;
            role: string;
            rights: string[];
            source_ids: number[] | null;
            user: components["schemas"]["PersonOut"] | null;
            last4: string;
            /** Format: date-time */
            created_at: string;
            created_by: string;
            expires_at: string | null;
            last_used_at: string | null;
            revoked_at: string | null;
            version: number;
        };
        TokenPatch: {
            name?: string | null;
            role?: components["schemas"]["Role"] | null;
            rights?: components["schemas"]["Right"][] | null;
            source_ids?: number[] | null;
            expires_at?: string | null;
            user_id?: number | null;
        };
        TrailActor: {
            kind: string;
            id: number | null;
            name: string;
        };
        TroubleOut: {
            code: string;
            detail: string;
            /** @default null */
            since: string | null;
        };
        UnansweredCounts: {
            total: number;
            shown: number;
            overdue: number;
            snoozed: number;
            backlog: number;
            thank_you: number;
        };
        UndoOut: {
            action_id: number | null;
            undone: number;
            results: components["schemas"]["UndoResult"][];
        };
        UndoResult: {
            item_id: number;
            result: string;
            item: components["schemas"]["ItemOut"] | null;
        };
        UserAccess: {
            rights: string[];
            source_ids: number[] | null;
            /** Format: date-time */
            created_at: string;
            created_by: string;
            disabled_at: string | null;
        };
        UserList: {
            items: components["schemas"]["UserOut"][];
            next_cursor: string | null;
        };
        UserNew: {
            name: string;
            display_name?: string | null;
            role: components["schemas"]["Role"];
            rights?: components["schemas"]["Right"][];
            source_ids?: number[] | null;
        };
        UserOut: {
            id: number;
            name: string;
            display_name: string;
            role: string;
            disabled: boolean;
            version: number;
            access: components["schemas"]["UserAccess"] | null;
        };
        UserPatch: {
            name?: string | null;
            display_name?: string | null;
            role?: components["schemas"]["Role"] | null;
            rights?: components["schemas"]["Right"][] | null;
            source_ids?: number[] | null;
            disabled?: boolean | null;
        };
        ValueOut: {
            score: number | null;
            reasons: string[];
        };
        ViewChanged: {
            name?: string | null;
            filter?: {
                [key: string]: string | boolean | number | (string | boolean | number)[];
            } | null;
            shared?: boolean | null;
            place?: number | null;
        };
        ViewList: {
            items: components["schemas"]["ViewOut"][];
            next_cursor: string | null;
            /** Format: date-time */
            as_of: string;
            coverage: components["schemas"]["Coverage"];
        };
        ViewNew: {
            name: string;
            filter: {
                [key: string]: string | boolean | number | (string | boolean | number)[];
            };
            /** @default false */
            shared: boolean;
            place?: number | null;
        };
        ViewOut: {
            id: number;
            name: string;
            filter: Record<string, never>;
            query: string;
            shared: boolean;
            mine: boolean;
            place: number;
            count: number | null;
            count_more: boolean;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
            version: number;
        };
        WaitedOut: {
            seconds: number;
            at_least: boolean;
        };
        WayIn: {
            platform: string;
            redirect_uri: string;
            client: string;
            scopes: string[];
            chosen: string[];
        };
        Ways: {
            password: boolean;
            oidc: components["schemas"]["OidcWay"] | null;
            proxy: boolean;
        };
        WebhookList: {
            items: components["schemas"]["WebhookOut"][];
            next_cursor: string | null;
        };
        WebhookNew: {
            url: string;
            /** @default  */
            description: string;
            types?: ("item.answer_changed" | "item.answer_withdrawn" | "item.assigned" | "item.became_reply" | "item.claimed" | "item.created" | "item.dismissed" | "item.edited" | "item.filed" | "item.handed_off" | "item.held" | "item.labelled" | "item.note_changed" | "item.note_deleted" | "item.noted" | "item.possibly_answered" | "item.reappeared" | "item.released" | "item.removed" | "item.reopened" | "item.replied" | "item.reply_lost" | "item.reply_requested" | "item.reply_unverified" | "item.signalled" | "item.snoozed" | "item.spam" | "item.text_wiped" | "item.thanked" | "item.unassigned" | "item.undone" | "item.unfiled" | "item.unsnoozed" | "source.backfill_paused" | "source.backfill_resumed" | "source.changed" | "source.connected" | "source.paused" | "source.reconnected" | "source.recovered" | "source.recovered_items" | "source.removed" | "source.resumed" | "source.trouble" | "webhook.changed" | "webhook.created" | "webhook.disabled" | "webhook.removed")[] | null;
            source_ids?: number[] | null;
            /** @default false */
            direct: boolean;
            /** @default true */
            enabled: boolean;
        };
        WebhookOut: {
            id: number;
            url: string;
            description: string;
            types: string[] | null;
            source_ids: number[] | null;
            direct: boolean;
            enabled: boolean;
            disabled_reason: string | null;
            disabled_at: string | null;
            read_through: number;
            pending: number;
            failing_since: string | null;
            last_ok_at: string | null;
            last_status: number | null;
            error: components["schemas"]["AttemptError"] | null;
            old_secret_until: string | null;
            version: number;
            /** Format: date-time */
            created_at: string;
            created_by: string;
        };
        WebhookPatch: {
            /** @default  */
            url: string;
            /** @default  */
            description: string;
            types?: ("item.answer_changed" | "item.answer_withdrawn" | "item.assigned" | "item.became_reply" | "item.claimed" | "item.created" | "item.dismissed" | "item.edited" | "item.filed" | "item.handed_off" | "item.held" | "item.labelled" | "item.note_changed" | "item.note_deleted" | "item.noted" | "item.possibly_answered" | "item.reappeared" | "item.released" | "item.removed" | "item.reopened" | "item.replied" | "item.reply_lost" | "item.reply_requested" | "item.reply_unverified" | "item.signalled" | "item.snoozed" | "item.spam" | "item.text_wiped" | "item.thanked" | "item.unassigned" | "item.undone" | "item.unfiled" | "item.unsnoozed" | "source.backfill_paused" | "source.backfill_resumed" | "source.changed" | "source.connected" | "source.paused" | "source.reconnected" | "source.recovered" | "source.recovered_items" | "source.removed" | "source.resumed" | "source.trouble" | "webhook.changed" | "webhook.created" | "webhook.disabled" | "webhook.removed")[] | null;
            source_ids?: number[] | null;
            /** @default false */
            direct: boolean;
            /** @default true */
            enabled: boolean;
        };
        WebhookSecret: {
            secret: string;
            webhook: components["schemas"]["WebhookOut"];
        };
        WebhookTest: {
            ok: boolean;
            message_id: string;
            status: number | null;
            error: components["schemas"]["AttemptError"] | null;
            milliseconds: number;
        };
        WeekdayHours: {
            weekday: string;
            came_in: number[];
            answered: number[];
        };
        WriterLine: {
            external_id: string;
            /** @default  */
            instance: string;
            /** @default  */
            handle: string;
            /** @default  */
            display_name: string;
            /** @default  */
            url: string;
            /** @default  */
            avatar_url: string;
            /** @default null */
            followers: number | null;
            /** @default false */
            is_bot: boolean;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
