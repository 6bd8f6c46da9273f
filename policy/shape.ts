import type { ErrorObject } from 'ajv';

/** Describes what is wrong with the shape of a file: the path of the key, as a person would write it, and the problem. */
export function shapeProblem(error: ErrorObject | undefined): { path: string; problem: string } {
  const path = (error?.instancePath ?? '')
    .slice(1)
    .split('/')
    .filter((step) => step !== '')
    // RFC 6901 section 4.
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((step, index) => (/^\d+$/.test(step) ? `[${step}]` : index === 0 ? step : `.${step}`))
    .join('');
  const key = (name: unknown): string => (path === '' ? String(name) : `${path}.${String(name)}`);
  // For an invalid name, point to the key itself, not to its parent.
  if (error?.propertyName !== undefined) {
    return { path: key(error.propertyName), problem: `is not a valid name (${error.message ?? ''})` };
  }
  switch (error?.keyword) {
    case 'additionalProperties':
      return { path: key(error.params.additionalProperty), problem: 'is not a known key' };
    case 'required':
      return { path: key(error.params.missingProperty), problem: 'is missing' };
    case 'enum':
      return { path, problem: `must be one of ${(error.params.allowedValues as unknown[]).join(', ')}` };
    default:
      return { path, problem: error?.message ?? 'is not valid' };
  }
}
