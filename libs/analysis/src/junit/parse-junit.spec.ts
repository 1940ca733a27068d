import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { JUNIT_LIMITS, parseJunit } from './parse-junit.ts';

const SUITE = `<?xml version="1.0"?>
<testsuites><testsuite name="cart" tests="3">
  <testcase name="adds up" classname="cart"/>
  <testcase name="is empty" classname="cart" file="test/cart.test.js" line="5">
    <failure message="'0' !== '0.00'"><![CDATA[at test/cart.test.js:5:50 <!DOCTYPE html> & more]]></failure>
  </testcase>
  <testcase name="later"><skipped/></testcase>
</testsuite></testsuites>`;

const codeOf = (xml: string): string => {
  const parsed = parseJunit(xml);
  return parsed.ok ? 'ok' : parsed.code;
};

describe('a JUnit report', () => {
  it('given a failure, then it is read with its place and text', () => {
    expect(parseJunit(SUITE)).toEqual({
      ok: true,
      report: {
        tests: 3,
        skipped: 1,
        failed: 1,
        failures: [
          {
            name: 'is empty',
            suite: 'cart',
            message: "'0' !== '0.00'",
            detail: 'at test/cart.test.js:5:50 <!DOCTYPE html> & more',
            file: 'test/cart.test.js',
            line: '5',
          },
        ],
      },
    });
  });

  it('given more failures than are kept, then all are counted', () => {
    const many = '<testcase name="x"><error/></testcase>'.repeat(JUNIT_LIMITS.failuresMax + 50);
    const parsed = parseJunit(`<testsuite>${many}</testsuite>`);
    if (!parsed.ok) throw new Error(parsed.message);
    expect([parsed.report.failed, parsed.report.failures.length]).toEqual([150, 100]);
  });

  const laughs = Array.from({ length: 9 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('');
  it.each([
    ['billion laughs', `<!DOCTYPE x [<!ENTITY l0 "ha">${laughs}]><testsuite>&l9;</testsuite>`, 'doctype'],
    [
      'an external entity',
      `<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><testsuite>&f;</testsuite>`,
      'doctype',
    ],
    ['an undeclared entity', '<testsuite>&f;</testsuite>', 'malformed'],
    ['deep nesting', '<testsuite>'.repeat(100_000), 'too_deep'],
    ['a huge attribute', `<testsuite name="${'a'.repeat(1_000_000)}"/>`, 'attribute_too_long'],
    ['many attributes', `<testsuite ${Array.from({ length: 1_000 }, (_, i) => `a${i}="1"`).join(' ')}/>`, 'too_many'],
    ['many elements', `<testsuite>${'<testcase/>'.repeat(JUNIT_LIMITS.elementsMax)}</testsuite>`, 'too_many'],
    ['a huge document', 'a'.repeat(JUNIT_LIMITS.charsMax + 1), 'too_large'],
    ['no XML', 'not ok 1', 'malformed'],
    ['an unfinished document', '<testsuite><testcase', 'malformed'],
    ['nothing', '', 'malformed'],
    ['another document', '<html><body/></html>', 'no_junit'],
  ])('given %s, then it is refused by name', (_what, xml, code) => {
    expect(codeOf(xml)).toBe(code);
  });

  it('never throws, whatever it is given', () => {
    const pieces = fc.constantFrom(
      '<testsuite>',
      '</testsuite>',
      '<testcase name="',
      '">',
      '<failure ',
      '/>',
      '&',
      '<![CDATA[',
      ']]>',
      '<!--',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string()), { maxLength: 30 }), (parts) => {
        expect(typeof parseJunit(parts.join('')).ok).toBe('boolean');
      }),
    );
  });
});
