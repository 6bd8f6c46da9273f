import type { Alternatives } from '../specification/read-arguments.js';
import type { DateUnit } from '../minimize/date-unit.js';
import type { Distribution } from '../minimize/discrete-noise.js';
import type { Part } from '../minimize/generalize/part.js';
import type { MaskForm } from '../minimize/strategies/mask.js';

type NoArguments = Readonly<Record<string, never>>;

/** Exempt from the rule: delegations that hold one of these alternatives. */
interface Unless {
  readonly unless?: Alternatives;
}

interface StatisticArguments {
  readonly to: 'AGGREGATE';
  readonly subject: string;
  readonly floor: number;
  readonly groups?: readonly string[];
  readonly of?: string;
  readonly buckets?: readonly number[];
  readonly names?: readonly string[];
  /** Rows cannot be returned in the type of a statistic, so nobody is exempt. */
  readonly unless?: never;
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
      | { readonly to: 'REDACT' }
      | { readonly to: 'PSEUDONYMIZE'; readonly readableWith?: Alternatives }
      | {
          readonly to: 'MASK';
          readonly first?: number;
          readonly last?: number;
          readonly showLength?: boolean;
        }
      | { readonly to: 'MASK'; readonly form: MaskForm; readonly first?: number; readonly last?: number }
      | { readonly to: 'TRUNCATE'; readonly keep?: number }
      | { readonly to: 'GENERALIZE'; readonly step: number; readonly min?: number; readonly max?: number }
      | { readonly to: 'GENERALIZE'; readonly unit: DateUnit; readonly timeZone?: string }
      | { readonly to: 'GENERALIZE'; readonly decimals: number }
      | { readonly to: 'GENERALIZE'; readonly buckets: readonly number[]; readonly names?: readonly string[] }
      | { readonly to: 'GENERALIZE'; readonly ipv4: number; readonly ipv6?: number }
      | { readonly to: 'GENERALIZE'; readonly ipv6: number }
      | { readonly to: 'GENERALIZE'; readonly part: Part }
      | { readonly to: 'GENERALIZE'; readonly geohash: number }
      | { readonly to: 'GENERALIZE'; readonly h3: number }
      | {
          readonly to: 'GENERALIZE';
          readonly hierarchy: readonly (readonly string[])[];
          readonly up?: number;
        }
      | { readonly to: 'SHIFT'; readonly days: number }
      | { readonly to: 'NOISE'; readonly spread: number; readonly step?: number }
      | {
          readonly to: 'NOISE';
          readonly distribution: Distribution;
          readonly scale: number;
          readonly step: number;
        }
      | StatisticArguments
    );
  /** On an argument (`Query.accounts(minBalance:)`), an input field or an enum value only. */
  readonly filters: { readonly field: string };
  readonly purpose: { readonly of: readonly string[] };
  readonly subject: Unless & { readonly field: string };
  readonly personalData: { readonly category: string };
}

/**
 * Rules by schema coordinate: `Type`, `Type.field`, `Type.field(argument:)`, `Input.field` or `Enum.VALUE`. Each has the directives
 * that SDL would have there, with a list for a repeated one.
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
 *     minimize: { to: 'MASK', last: 4 },
 *   },
 *   'Query.accounts(iban:)': { filters: { field: 'Account.iban' } },
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
