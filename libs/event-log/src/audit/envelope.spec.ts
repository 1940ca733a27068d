import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import {
  ATTESTATION_PAYLOAD_TYPE,
  preAuthenticationEncoding,
  type AttestationEnvelope,
  type PlanStatement,
} from '@delta-ci/contracts';
import fc from 'fast-check';
import { TrustedKeys, readSigningKey, type SigningKey } from '../checkpoints/checkpoint-keys.ts';
import { openEnvelope, sealStatement, type OpenedAttestation } from './envelope.ts';

const newKey = (): SigningKey =>
  readSigningKey(generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());

const signer = newKey();
const stranger = newKey();
const keys = new TrustedKeys([signer.publicKey]);

const GOLDEN = new URL('../../../planning/src/attestation/statement.golden.txt', import.meta.url);
const golden = JSON.parse(readFileSync(GOLDEN, 'utf8')) as PlanStatement;

/** The approved statement, under a head that somebody signed. */
function statementUnder(key: SigningKey, change: (statement: PlanStatement) => void = () => undefined): PlanStatement {
  const statement = structuredClone(golden);
  const { keyId: _, signature: __, ...claim } = statement.predicate.log.checkpoint;
  statement.predicate.log.checkpoint = key.sign(claim);
  change(statement);
  return statement;
}

const open = (envelope: AttestationEnvelope | string): OpenedAttestation =>
  openEnvelope(typeof envelope === 'string' ? envelope : JSON.stringify(envelope), keys);
const problemOf = (envelope: AttestationEnvelope | string): string | null => {
  const opened = open(envelope);
  return opened.ok ? null : opened.problem;
};
const sealed = sealStatement(statementUnder(signer), signer);

describe('what is signed in place of a payload', () => {
  it('is the text of the specification’s own example', () => {
    const payload = Buffer.from('hello world');
    expect(Buffer.from(preAuthenticationEncoding('http://example.com/HelloWorld', payload)).toString()).toBe(
      'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
    );
  });

  it('law: no two pairs of type and payload have the same', () => {
    const any = fc.tuple(fc.string(), fc.string());
    fc.assert(
      fc.property(any, any, ([type, text], [otherType, otherText]) => {
        const encoded = (of: string, what: string) =>
          Buffer.from(preAuthenticationEncoding(of, Buffer.from(what))).toString('hex');
        const same = type === otherType && Buffer.from(text).equals(Buffer.from(otherText));
        expect(encoded(type, text) === encoded(otherType, otherText)).toBe(same);
      }),
    );
  });
});

describe('an attestation', () => {
  it('is opened by whoever trusts the key, and is what was sealed', () => {
    expect(open(sealed)).toEqual({ ok: true, statement: statementUnder(signer), keyId: signer.keyId });
  });

  const payloadOf = (statement: unknown): string => Buffer.from(JSON.stringify(statement)).toString('base64');
  const signedBy = (payload: string): AttestationEnvelope => ({
    payloadType: ATTESTATION_PAYLOAD_TYPE,
    payload,
    signatures: [
      {
        keyid: signer.keyId,
        sig: signer.signBytes(preAuthenticationEncoding(ATTESTATION_PAYLOAD_TYPE, Buffer.from(payload, 'base64'))),
      },
    ],
  });
  const sealedWith = (change: (statement: PlanStatement) => void): AttestationEnvelope =>
    sealStatement(statementUnder(signer, change), signer);

  it.each<[string, AttestationEnvelope | string, string]>([
    ['text', 'all is well', 'not_an_attestation'],
    ['an envelope of something else', JSON.stringify({ ...sealed, payloadType: 'text/plain' }), 'not_an_attestation'],
    ['nobody’s signature', { ...sealed, signatures: [] }, 'not_an_attestation'],
    ['a stranger’s signature', sealStatement(statementUnder(signer), stranger), 'untrusted_key'],
    ['another payload', { ...sealed, payload: payloadOf(golden) }, 'invalid_signature'],
    [
      'a stranger’s signature under the name of a trusted key',
      {
        ...sealed,
        signatures: [{ keyid: signer.keyId, sig: sealStatement(golden, stranger).signatures[0]?.sig ?? '' }],
      },
      'invalid_signature',
    ],
    ['no statement', signedBy(payloadOf({ hello: 'world' })), 'unknown_statement'],
    ['a member nobody knows', signedBy(payloadOf({ ...golden, more: 1 })), 'unknown_statement'],
    [
      'another commit among its subjects',
      sealedWith(({ subject }) => (subject[0].digest.gitCommit = '9'.repeat(40))),
      'contradictory_statement',
    ],
    [
      'another plan among its subjects',
      sealedWith(({ subject }) => (subject[1].digest.sha256 = '9'.repeat(64))),
      'contradictory_statement',
    ],
    [
      'another head than its checkpoint has',
      sealedWith(({ predicate }) => (predicate.log.head.hash = '9'.repeat(64))),
      'contradictory_statement',
    ],
    [
      'records beyond its head',
      sealedWith(({ predicate }) => (predicate.log.to = predicate.log.head.position + 1)),
      'contradictory_statement',
    ],
    ['a head that a stranger signed', sealStatement(statementUnder(stranger), signer), 'log_head_not_signed'],
  ])('given %s, then the problem has a name', (_, envelope, problem) => {
    expect(problemOf(envelope)).toBe(problem);
  });

  it('law: whichever byte of it is another, it is not opened as what it was', () => {
    const text = JSON.stringify(sealed);
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom('A', 'b', '0', '"'), (at, letter) => {
        fc.pre(text[at] !== letter);
        const opened = open(text.slice(0, at) + letter + text.slice(at + 1));
        return !opened.ok || isDeepStrictEqual(opened, open(sealed));
      }),
    );
  });
});
