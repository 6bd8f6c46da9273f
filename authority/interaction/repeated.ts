import { digestOf } from '../pages/consent.js';
import type { AuthorityDatabase } from '../schema.js';
import { hasLevels } from '../consent/levels.js';
import { readLevelChoices } from './levels.js';
import type { Offer } from './offer.js';

type Repeatable = Pick<Offer, 'durations' | 'language' | 'levels' | 'levelsSoFar' | 'standing'>;

/**
 * Whether the form says again what has just become the consent in force, in answer to the same words: a double click sends the
 * form twice, and the browser shows the answer to the second only. The page has changed by then, since it tells of that consent.
 *
 * This compares the form with what was stored, so it holds for any instance, and whatever the first request has done so far.
 */
export async function repeatsAgreement(
  db: AuthorityDatabase,
  form: URLSearchParams,
  { durations, language, levels, levelsSoFar, standing }: Repeatable,
): Promise<boolean> {
  if (standing === undefined || form.get('do') !== 'allow') return false;
  const event = await db
    .selectFrom('authority.consent_event')
    .select('privacy_notice')
    .where('record_id', '=', standing.id)
    .where('privacy_notice', 'is not', null)
    .orderBy('event_id', 'desc')
    .executeTakeFirst();
  const notice = event?.privacy_notice;
  if (notice?.text === undefined || form.get('shown') !== digestOf(notice.text)) return false;
  const duration = durations.find(({ value }) => value === form.get('duration'));
  const chosen = readLevelChoices(form, language, levels, levelsSoFar);
  const shownPurposes = notice.purposes.length;
  return (
    areSame(form.getAll('scope'), standing.scopes) &&
    // A single purpose is not a choice.
    (shownPurposes <= 1 || areSame(form.getAll('purpose'), standing.purposes)) &&
    duration?.label === notice.duration &&
    language.messages.consent.details[standing.detail] === notice.detail &&
    form.get('detail') === standing.detail &&
    chosen !== undefined &&
    hasLevels(standing.levels, chosen) &&
    hasLevels(chosen, standing.levels)
  );
}

function areSame(some: readonly string[], others: readonly string[]): boolean {
  const other = new Set(others);
  return new Set(some).size === other.size && some.every((name) => other.has(name));
}
