import { GraphQLError, Lexer, Source, TokenKind } from 'graphql';
import type { Token } from 'graphql';

export interface TextCounts {
  /** Comments included: the parser keeps them as well. */
  readonly tokens: number;
  /** Levels of brackets. */
  readonly nesting: number;
  readonly lines: number;
}

const OPENING: ReadonlySet<TokenKind> = new Set([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L]);
const CLOSING: ReadonlySet<TokenKind> = new Set([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R]);

/**
 * Counts a text before it is parsed, without recursion: the parser recurses for each level, and builds an object for each
 * token. Of a text with a lexical error the part before it is counted, because the parser reads no further either.
 */
export function scanText(text: string): TextCounts {
  const lexer = new Lexer(new Source(text));
  let tokens = 0;
  let open = 0;
  let nesting = 0;
  try {
    let last = lexer.token;
    for (let token = lexer.advance(); ; token = lexer.advance()) {
      // Comments are between the tokens that the lexer returns.
      for (let each: Token | null = token; each !== null && each !== last; each = each.prev) tokens += 1;
      if (token.kind === TokenKind.EOF) break;
      last = token;
      if (OPENING.has(token.kind)) {
        open += 1;
        nesting = Math.max(nesting, open);
      } else if (CLOSING.has(token.kind)) open -= 1;
    }
    // Only the lexer counts the end as a token.
    tokens -= 1;
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
  }
  return { tokens, nesting, lines: lexer.line };
}
