import type { FailureExplanation } from '@delta-ci/contracts';

/** An explanation the way a person meets it: the golden files hold this. */
export function told(explanation: FailureExplanation): string {
  const { headline, category, confidence, location, sentences, failedTests, nextStep, rules, incomplete } = explanation;
  const evidence = ({ kind, lines, text }: FailureExplanation['sentences'][number]['evidence'][number]): string => {
    const where = lines === null ? kind : `log lines ${lines.from}-${lines.to}`;
    const quoted = text.split('\n').map((line) => `  > ${line}`.trimEnd());
    return [`  (${where})`, ...quoted].join('\n');
  };
  return [
    `# ${headline}`,
    '',
    `${explanation.class} / ${category}, confidence ${confidence}`,
    location === null
      ? 'nowhere in particular'
      : `at ${location.path}${location.line === null ? '' : `:${location.line}`}`,
    '',
    ...sentences.flatMap((said) => [`- ${said.text}`, ...said.evidence.map(evidence)]),
    '',
    ...failedTests.map(({ name, suite, message }) => `Failed: ${suite} | ${name} | ${message.split('\n').join(' / ')}`),
    `Next: ${nextStep}`,
    `Rules: ${rules.join(', ')}`,
    ...incomplete.map((text) => `Incomplete: ${text}`),
    '',
  ].join('\n');
}
