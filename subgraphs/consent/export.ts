import type { ExportPart } from '@behalf/authority/consent';
import { withoutUndefined } from '@behalf/directives/internal';
import { badUserInput } from './errors.js';
import type { ConsentContext } from './context.js';
import { needId, stopOptionsOf } from './input.js';

interface PartArguments {
  readonly after?: string | null;
}

/** Exports the caller's own consents: the subject comes from the delegation, not from an argument. */
export async function exportMyConsents(
  _root: unknown,
  { after }: PartArguments,
  { register, delegation }: ConsentContext,
) {
  if (delegation === undefined) return null;
  const { subject } = delegation;
  return answer(() => register.exportOwn(subject, after ?? undefined));
}

/** Exports another person's consents, for an administrator who answers their request. The export is recorded. */
export async function exportConsents(
  _root: unknown,
  { subject, reason, after }: PartArguments & { readonly subject: string; readonly reason: string },
  context: ConsentContext,
) {
  const options = stopOptionsOf(context, reason);
  return answer(() =>
    context.register.exportForRequest(
      needId('subject', subject),
      withoutUndefined({ ...options, after: after ?? undefined }),
    ),
  );
}

async function answer(read: () => Promise<ExportPart>) {
  try {
    const { document, cursor } = await read();
    return { document, endCursor: cursor ?? null };
  } catch (error) {
    if (error instanceof RangeError) throw badUserInput('"after" must be a cursor of this export');
    throw error;
  }
}
