/** Where the meaning of an attribute is defined. */
export type AttributeSource = 'OpenTelemetry' | 'Behalf';

/** A span attribute, for the reference. */
export interface AttributeDescription {
  readonly source: AttributeSource;
  readonly description: string;
}

/** The name of the span for one coordinate with one decision. OpenTelemetry has no convention for it. */
export const FIELD_SPAN = 'behalf.field';

/** Its attributes. It has no other ones. */
export const fieldSpanAttributes = Object.freeze({
  'behalf.coordinate': { source: 'Behalf', description: 'The schema coordinate, `Type.field`.' },
  'behalf.decision': {
    source: 'Behalf',
    description: 'As in the facts: `allowed`, `minimized`, `denied`, …',
  },
  'behalf.count': { source: 'Behalf', description: 'How often the field was resolved with this decision.' },
  'behalf.subgraph': { source: 'Behalf', description: 'The subgraph’s name.' },
  'behalf.strategy': { source: 'Behalf', description: 'The strategy of `@minimize`, if it was applied.' },
  'behalf.level': {
    source: 'Behalf',
    description: 'The level of detail in force, if it was not the default.',
  },
  'behalf.rule': { source: 'Behalf', description: 'The deciding rule, in the schema’s words.' },
  'behalf.transaction_id': {
    source: 'Behalf',
    description: 'The transaction of the gateway’s request, if its transaction token was accepted.',
  },
} as const satisfies Record<string, AttributeDescription>);

/** The values of {@link fieldSpanAttributes}. OpenTelemetry ignores attributes that are undefined. */
export type FieldSpanAttributes = {
  readonly [Name in keyof typeof fieldSpanAttributes]: string | number | undefined;
};
