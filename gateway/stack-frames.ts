import { GraphQLError } from 'graphql';

/** Deep enough to find the place, short enough for one log line. */
const MAX_FRAMES = 12;
const NAME = /^[\w$.]+(?: \[\w+\])?$/;
const FRAME =
  /^ +at ((?:(?:async |new )*[\w$.<># ]+(?: \[as [\w$]+\])? \()?(?:file:|node:|\/|[A-Z]:\\)\S*:\d+:\d+\)?)$/;

/**
 * Where an error was thrown: function names with file and line, innermost first. The message is left out, because it can
 * quote a value.
 *
 * @returns An empty text for what is not an error, or where message and frames cannot be told apart.
 */
export function stackFrames(error: unknown): string {
  if (!(error instanceof Error) || typeof error.stack !== 'string') return '';
  const { stack, message } = error;
  const title = message === '' ? '' : `: ${message}`;
  const end = title === '' ? stack.indexOf('\n') : stack.indexOf(title);
  // A message that was changed later is still in the stack, and may have lines that look like frames.
  if (end === -1 || !NAME.test(stack.slice(0, end))) return '';
  const frames = stack.slice(end + title.length);
  if (!frames.startsWith('\n')) return '';
  return frames
    .split('\n')
    .flatMap((line) => FRAME.exec(line)?.[1] ?? [])
    .slice(0, MAX_FRAMES)
    .join(' < ');
}

/** An unexpected error, for the log: its class and {@link stackFrames}. */
export function failureFacts(error: unknown): { readonly error: string; readonly stack: string } {
  // A GraphQLError that wraps another error has the other one's stack.
  const original = error instanceof GraphQLError ? (error.originalError ?? error) : error;
  return { error: original instanceof Error ? original.name : 'unknown', stack: stackFrames(original) };
}
