/** `minimal`: values are given with less detail (the schema's `@minimize`). */
export type DetailLevel = 'full' | 'minimal';

/** The events of a consent in the log. */
export type ConsentEventType = 'requested' | 'granted' | 'narrowed' | 'extended' | 'expired' | 'revoked';

/** The kind of party that requested a change (CAEP `initiating_entity`). */
export type Initiator = 'user' | 'admin' | 'policy';

/** The words that a person was shown when they decided (ISO/IEC TS 27560: privacy notice). */
export interface PrivacyNotice {
  /** BCP 47 */
  readonly language: string;
  readonly client: string;
  readonly purposes: readonly string[];
  readonly scopes: readonly {
    readonly name: string;
    readonly sentence: string;
    /** Remarks beside the sentence, such as that it changes something or is sensitive. */
    readonly remarks: readonly string[];
    readonly granted: boolean;
  }[];
  readonly duration: string;
  readonly detail: string;
  /** All text of the page as sent, one line per block. Absent if there was no page. */
  readonly text?: string;
  /** The words around the person's name in `text`, by which the name is found when the person is forgotten. */
  readonly signedInAs?: { readonly before: string; readonly after: string };
  /** The organisation responsible for the application, as shown on the page. */
  readonly owner?: string;
  readonly contact?: string;
}

/** The state of a consent; `replaced`: by a narrower one of the same subject and client. */
export type ConsentStatus = 'active' | 'revoked' | 'expired' | 'replaced';
