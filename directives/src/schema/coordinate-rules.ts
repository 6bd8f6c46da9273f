import type { Alternatives } from '../specification/read-arguments.js';
import type { DateUnit } from '../specification/minimize.js';

type NoArguments = Readonly<Record<string, never>>;

/** Exempt from the rule: delegations that hold one of these alternatives. */
interface Unless {
  readonly unless?: Alternatives;
}

/** The arguments of each of Behalf's directives, by its name. */
export interface DirectiveArguments {
  readonly authenticated: NoArguments;
  readonly requiresScopes: { readonly scopes: Alternatives };
  readonly requiresScope: { readonly scope: string };
  readonly policy: { readonly policies: Alternatives };
  readonly public: NoArguments;
  readonly minimize: Unless &
    (
      | { readonly to: 'REDACT' | 'PSEUDONYMIZE' }
      | { readonly to: 'MASK' | 'TRUNCATE'; readonly keep?: number }
      | { readonly to: 'GENERALIZE'; readonly step: number }
      | { readonly to: 'GENERALIZE'; readonly unit: DateUnit; readonly timeZone?: string }
      | { readonly to: 'GENERALIZE'; readonly decimals: number }
      | { readonly to: 'NOISE'; readonly spread: number; readonly step?: number }
    );
  readonly purpose: { readonly of: readonly string[] };
  readonly subject: Unless & { readonly field: string };
  readonly personalData: { readonly category: string };
}

/**
 * Rules by schema coordinate, `Type` or `Type.field`: the directives that SDL would have there, with a list for a repeated one.
 *
 * @example
 * ```ts
 * import type { CoordinateRules } from '@behalf/directives';
 *
 * export const rules: CoordinateRules = {
 *   Account: { subject: { field: 'ownerId' } },
 *   'Account.id': { public: {} },
 *   'Account.iban': {
 *     requiresScope: [{ scope: 'accounts:read' }, { scope: 'accounts:details' }],
 *     minimize: { to: 'MASK', keep: 4 },
 *   },
 * };
 * ```
 */
export type CoordinateRules = Readonly<
  Record<
    string,
    {
      readonly [Name in keyof DirectiveArguments]?:
        DirectiveArguments[Name] | readonly DirectiveArguments[Name][];
    }
  >
>;
