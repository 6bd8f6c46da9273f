import type { Narrowing } from '@behalf/authority/consent';
import { withoutUndefined } from '@behalf/directives/internal';
import { badUserInput } from './errors.js';
import { type ConsentContext, requestOf } from './context.js';
import { checkedReason, needId, needTime } from './input.js';
import { MAX_WAIT_MS, type Waiting } from './mutations.js';

const MAX_NAMES = 100;
const MAX_NAME_LENGTH = 200;

interface NarrowArguments extends Waiting {
  readonly id: string;
  readonly removeScopes?: readonly string[] | null;
  readonly removePurposes?: readonly string[] | null;
  readonly until?: string | null;
  readonly detail?: Narrowing['detail'] | null;
  readonly reason?: string | null;
}

/** @throws GraphQLError `BAD_USER_INPUT` when it would widen the consent, or leave nothing of it */
export async function narrowConsent(
  _root: unknown,
  { id, removeScopes, removePurposes, until, detail, reason, waitFor }: NarrowArguments,
  context: ConsentContext,
) {
  const { acknowledgements, register, delegation } = context;
  if (delegation === undefined) throw new TypeError('The rules let through a caller without a delegation');
  const narrowing: Narrowing = withoutUndefined({
    by: delegation.subject,
    request: requestOf(context),
    removeScopes: needNames('removeScopes', removeScopes),
    removePurposes: needNames('removePurposes', removePurposes),
    reason: checkedReason(reason ?? undefined),
    until: until === undefined || until === null ? undefined : needTime('until', until),
    detail: detail ?? undefined,
  });
  try {
    const { consent, replaced, change } = await register.narrow(needId('id', id), narrowing);
    const inForce =
      waitFor === 'ALL_GATEWAYS' && change !== undefined
        ? await acknowledgements.inForce(change, MAX_WAIT_MS)
        : null;
    return { consent: consent ?? null, replaced: replaced ?? null, change: change?.seq ?? null, inForce };
  } catch (error) {
    if (error instanceof RangeError) throw badUserInput(error.message);
    throw error;
  }
}

/** Checks names of scopes or purposes. @throws GraphQLError `BAD_USER_INPUT` */
function needNames(name: string, values: readonly string[] | null | undefined): readonly string[] {
  const names = values ?? [];
  if (names.length > MAX_NAMES || names.some((value) => value.length > MAX_NAME_LENGTH)) {
    throw badUserInput(`"${name}" has too many names, or too long ones`);
  }
  return names;
}
