import { describe, expect, it } from '@jest/globals';
import { SecretMasker } from '@delta-ci/service';
import { JobOutput } from './job-output.ts';

const SECRET = 'swordfish-42';

function heard(masker: SecretMasker | null): { readonly output: JobOutput; readonly said: () => string } {
  const parts: Uint8Array[] = [];
  return {
    output: new JobOutput(masker, (chunk) => void parts.push(chunk)),
    said: () => Buffer.concat(parts).toString(),
  };
}

describe('what a job of a local run says', () => {
  it('given a secret in pieces, then it is masked on the screen and in what is kept, also when a line of ours comes between', () => {
    const { output, said } = heard(new SecretMasker([SECRET]));
    output.write(Buffer.from('token sword'));
    expect(output.bytes).toBe('token sword'.length);
    output.say(`cache ${SECRET} is restored`);
    output.write(Buffer.from('fish-42 was used\n'));
    output.write(Buffer.from('sword'));
    output.end();
    expect(said()).toBe('token \n[delta] cache *** is restored\n*** was used\nsword');
    expect(
      output.log
        .evidence()
        .windows.map(({ text }) => text)
        .join(''),
    ).not.toContain(SECRET);
    expect(output.mask(`no ${SECRET}`)).toBe('no ***');
  });

  it('given no secret, then all of it goes on as it comes', () => {
    const { output, said } = heard(null);
    output.write(Buffer.from('sword'));
    expect(said()).toBe('sword');
    expect(output.mask(SECRET)).toBe(SECRET);
    output.end();
    expect(output.log.bytes).toBe(5);
  });

  it('given more than a log may hold, then the screen and what is kept have its end, and what was left out is counted', () => {
    const parts: Uint8Array[] = [];
    const output = new JobOutput(null, (chunk) => void parts.push(Buffer.from(chunk)), 1_000);
    for (let turn = 0; turn < 100; turn += 1) output.write(Buffer.from('a line of the job\n'));
    output.write(Buffer.from('Error: the last line tells why\n'));
    output.end();
    const said = Buffer.concat(parts).toString();
    expect(output.isCut).toBe(true);
    expect(said).toMatch(
      /\n\[delta\] \d+ bytes were left out\n(?:a line of the job\n)+Error: the last line tells why\n$/,
    );
    expect(output.log.evidence().windows[0]?.text).toBe(said.trimEnd());
  });
});
