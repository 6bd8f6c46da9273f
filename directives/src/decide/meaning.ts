import { DirectiveError } from '../errors.js';
import { authenticated } from '../specification/authenticated.js';
import { minimize } from '../specification/minimize.js';
import type { Minimization } from '../specification/minimize.js';
import { personalData } from '../specification/personal-data.js';
import { policy } from '../specification/policy.js';
import { publicDirective } from '../specification/public.js';
import { purpose } from '../specification/purpose.js';
import { requiresScope } from '../specification/requires-scope.js';
import { requiresScopes } from '../specification/requires-scopes.js';
import type { SpecifiedDirective } from '../specification/specified-directives.js';
import { subject } from '../specification/subject.js';
import { NO_REQUIREMENT } from './requirement.js';
import type { Requirement } from './requirement.js';

/** One application of a directive, compiled. */
export type Meaning =
  | { readonly kind: 'requirement'; readonly requirement: Requirement }
  | { readonly kind: 'public' }
  | { readonly kind: 'minimization'; readonly minimization: Minimization }
  | { readonly kind: 'subject'; readonly property: string }
  | { readonly kind: 'personalData'; readonly category: string };

/**
 * The one place where a directive gets its meaning. A directive without a case does not compile, and one that reaches this
 * function all the same stops the start: there is no meaning to fall back on that would protect.
 *
 * @throws {DirectiveError} `INVALID_RULE` for arguments that cannot be read, `UNKNOWN_DIRECTIVE` for a directive without a
 *   meaning; with the coordinate.
 */
export function readMeaning(
  specification: SpecifiedDirective,
  args: Readonly<Record<string, unknown>>,
  coordinate: string,
): Meaning {
  const { name } = specification;
  switch (name) {
    case authenticated.name:
      return asks({ authenticated: true });
    case requiresScopes.name:
      return asks({ scopes: [requiresScopes.read(args, coordinate)] });
    case requiresScope.name:
      return asks({ scopes: [[[requiresScope.read(args, coordinate)]]] });
    case policy.name:
      return asks({ policies: [policy.read(args, coordinate)] });
    case purpose.name:
      return asks({ purposes: [purpose.read(args, coordinate)] });
    case publicDirective.name:
      return { kind: 'public' };
    case minimize.name:
      return { kind: 'minimization', minimization: minimize.read(args, coordinate) };
    case subject.name:
      return { kind: 'subject', property: subject.read(args, coordinate) };
    case personalData.name:
      return { kind: 'personalData', category: personalData.read(args, coordinate) };
    default:
      return refuseUnknown(name, coordinate);
  }
}

function asks(part: Partial<Requirement>): Meaning {
  return { kind: 'requirement', requirement: { ...NO_REQUIREMENT, ...part } };
}

/** `never`: the compiler refuses a call with a directive that has a case missing. */
function refuseUnknown(name: never, coordinate: string): never {
  throw new DirectiveError('UNKNOWN_DIRECTIVE', `@${String(name)} has no meaning here`, coordinate);
}
