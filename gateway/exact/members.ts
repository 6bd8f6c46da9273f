/**
 * Replaces each member of an object, or entry of a list. A member called `__proto__` is an ordinary own member, so it is set
 * and the prototype is not.
 */
export function replaceMembers(container: object, replaced: (value: unknown) => unknown): void {
  if (Array.isArray(container)) {
    const entries = container as unknown[];
    for (let index = 0; index < entries.length; index += 1) entries[index] = replaced(entries[index]);
    return;
  }
  const members = container as Record<string, unknown>;
  for (const key of Object.keys(members)) members[key] = replaced(members[key]);
}
