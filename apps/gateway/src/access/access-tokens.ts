import { randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Role } from '@delta-ci/contracts';
import { z } from 'zod';
import type { AccessCaller } from './caller.ts';
import { readOrMake } from './private-file.ts';
import { sha256 } from './same-text.ts';

/** One token by the SHA-256 of its text: whoever reads the file cannot use it. */
const TokenEntry = z.strictObject({
  name: z.string().min(1).max(200),
  role: Role,
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits'),
});
type TokenEntry = z.infer<typeof TokenEntry>;

const TokensFile = z.strictObject({ tokens: z.array(TokenEntry).max(10_000) });

/** Shorter ones can be guessed. Ours have 43 characters. */
const TOKEN_LENGTH_MIN = 16;

/** Who may use the public API, by token. */
export class AccessTokens {
  readonly #entries: readonly TokenEntry[];

  constructor(entries: readonly TokenEntry[]) {
    this.#entries = entries;
  }

  /** Whose token this is; null when it is nobody's. Looks at every entry, so that time tells nothing. */
  callerOf(token: string): AccessCaller | null {
    const hash = sha256(token);
    let caller: AccessCaller | null = null;
    for (const { name, role, sha256: expected } of this.#entries) {
      if (timingSafeEqual(hash, Buffer.from(expected, 'hex'))) caller = { kind: 'access', name, role };
    }
    return caller;
  }
}

/**
 * The administrator's token, made at the first start into a file that only its owner reads.
 * @throws when the file holds something too short to be a token
 */
export async function readAdminToken(path: string): Promise<{ token: string; made: boolean }> {
  const { text, made } = await readOrMake(path, () => randomBytes(32).toString('base64url'));
  if (text.length < TOKEN_LENGTH_MIN)
    throw new Error(`${path}: expected a token of ${TOKEN_LENGTH_MIN} characters or more`);
  return { token: text, made };
}

/** The administrator's token and those of the tokens file. @throws a sentence when that file is not as documented */
export async function loadAccessTokens(adminToken: string, tokensFile: string | undefined): Promise<AccessTokens> {
  const admin: TokenEntry = { name: 'admin', role: 'admin', sha256: sha256(adminToken).toString('hex') };
  return new AccessTokens([admin, ...(tokensFile === undefined ? [] : await readTokensFile(tokensFile))]);
}

async function readTokensFile(path: string): Promise<TokenEntry[]> {
  const parsed = TokensFile.safeParse(jsonIn(await readFile(path, 'utf8'), path));
  if (parsed.success) return parsed.data.tokens;
  const [issue] = parsed.error.issues;
  throw new Error(`${path}: ${issue?.path.join('.')}: ${issue?.message}`);
}

function jsonIn(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message would repeat parts of the file.
    throw new Error(`${path}: is not JSON`);
  }
}
