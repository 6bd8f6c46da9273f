interface PlacedErrors {
  readonly errors?:
    | readonly {
        readonly path?: readonly (string | number)[] | undefined;
        readonly extensions: Readonly<Record<string, unknown>>;
      }[]
    | undefined;
}

/** One line for each error, in one order: where, and its code. */
export function errorCodes({ errors = [] }: PlacedErrors): string[] {
  return errors.map(({ path = [], extensions }) => `${path.join('.')} ${String(extensions['code'])}`).sort();
}
