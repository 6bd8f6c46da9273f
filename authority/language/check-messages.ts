import { isRecord, keyPath, kindOf } from '@behalf/directives/internal';
import { MESSAGES, type PageMessages } from '../pages/messages/index.js';

/** Fewer would stand around other words as well. */
const MIN_GREETING = 5;

/** @see problemIn */
export interface MessageProblem {
  readonly path: string;
  readonly problem: string;
}

/**
 * What is wrong with messages of a deployment, which a program in JavaScript may have written: a key is missing, unknown, or of
 * another kind than in the messages that come with the authority.
 *
 * @param messages by language
 */
export function problemIn(messages: Readonly<Record<string, unknown>>): MessageProblem | undefined {
  for (const [tag, given] of Object.entries(messages)) {
    const path = keyPath('messages', tag);
    if (canonical(tag) !== tag)
      return { path, problem: 'must be named by a language tag, such as fr or pt-BR' };
    const found = difference(given, MESSAGES.en, path) ?? greetingProblem(given as PageMessages, path);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The stored words of a page have one space between words, and none at the ends of lines; the greeting has to be found in them. */
function greetingProblem({ consent }: PageMessages, path: string): MessageProblem | undefined {
  const { after, before } = consent.signedInAs;
  const isFound = /^\S(?: ?\S)*$/.test(`${before}…${after}`) && `${before}${after}`.length >= MIN_GREETING;
  if (isFound) return undefined;
  return {
    path: `${path}.consent.signedInAs`,
    problem: `must have ${MIN_GREETING} characters in all, and single spaces between words only`,
  };
}

function canonical(tag: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(tag)[0];
  } catch {
    return undefined;
  }
}

function difference(given: unknown, model: unknown, path: string): MessageProblem | undefined {
  if (given === undefined) return { path, problem: 'is missing' };
  if (!isRecord(model)) {
    if (path.endsWith('.direction') && given !== 'ltr' && given !== 'rtl')
      return { path, problem: 'must be one of ltr, rtl' };
    // A name may stand at the end of a sentence, or begin it.
    const isEmpty = given === '' && !path.includes('.signedInAs.');
    if (typeof given === typeof model && !isEmpty) return undefined;
    const kind = typeof model === 'function' ? 'a function' : 'a text that is not empty';
    return { path, problem: `must be ${kind}, not ${isEmpty ? 'an empty one' : kindOf(given)}` };
  }
  if (!isRecord(given)) return { path, problem: `must be an object, not ${kindOf(given)}` };
  const unknown = Object.keys(given).find((key) => !Object.hasOwn(model, key));
  if (unknown !== undefined) return { path: keyPath(path, unknown), problem: 'is not a known key' };
  for (const [key, part] of Object.entries(model)) {
    const found = difference(given[key], part, keyPath(path, key));
    if (found !== undefined) return found;
  }
  return undefined;
}
