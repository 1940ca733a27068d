import { SaxesParser, type SaxesTagPlain } from 'saxes';

/** One test case that failed or broke, as the report has it. Texts are raw. */
export interface ReportedFailure {
  readonly name: string;
  readonly suite: string;
  readonly message: string;
  readonly detail: string;
  readonly file: string | null;
  readonly line: string | null;
}

/** What a JUnit report says. */
export interface TestReport {
  readonly tests: number;
  readonly skipped: number;
  /** Failed cases in all; `failures` lists the first of them. */
  readonly failed: number;
  readonly failures: readonly ReportedFailure[];
}

export type ParsedJunit =
  | { readonly ok: true; readonly report: TestReport }
  | { readonly ok: false; readonly code: JunitRefusal; readonly message: string };

export type JunitRefusal =
  'too_large' | 'doctype' | 'too_deep' | 'too_many' | 'attribute_too_long' | 'malformed' | 'no_junit';

export interface JunitLimits {
  /** Characters of the document: real reports of large suites stay below. */
  readonly charsMax: number;
  /** Real reports nest suites three or four deep. */
  readonly depthMax: number;
  readonly elementsMax: number;
  /** A message of an assertion on large values is some kilobytes. */
  readonly attributeCharsMax: number;
  readonly attributesMax: number;
  /** Failures kept with their texts; the rest is counted. */
  readonly failuresMax: number;
}

export const JUNIT_LIMITS: JunitLimits = {
  charsMax: 8 * 1024 * 1024,
  depthMax: 32,
  elementsMax: 200_000,
  attributeCharsMax: 64 * 1024,
  attributesMax: 64,
  failuresMax: 100,
};

/** Text kept of one failure: what is shown is shorter. */
const DETAIL_CHARS_MAX = 8_000;
const NAME_CHARS_MAX = 1_000;
/** The parser is fed in pieces, so that a refusal in the first is not preceded by work on all of them. */
const PIECE_CHARS = 64 * 1024;

class Refused extends Error {
  readonly code: JunitRefusal;
  constructor(code: JunitRefusal, message: string) {
    super(message);
    this.code = code;
  }
}

/** Reads a JUnit report. No document type, no entities of its own, bounded in every direction; never throws. */
export function parseJunit(xml: string, limits: JunitLimits = JUNIT_LIMITS): ParsedJunit {
  if (xml.length > limits.charsMax) return refused('too_large', `the report is over ${limits.charsMax} characters`);
  const reader = new JunitReader(limits);
  try {
    const report = reader.read(xml);
    return report === null ? refused('no_junit', 'the document has no test suite') : { ok: true, report };
  } catch (error) {
    if (error instanceof Refused) return refused(error.code, error.message);
    return refused('malformed', 'the report is not well-formed XML');
  }
}

function refused(code: JunitRefusal, message: string): ParsedJunit {
  return { ok: false, code, message };
}

interface OpenCase {
  name: string;
  suite: string;
  file: string | null;
  line: string | null;
  outcome: 'passed' | 'failed' | 'skipped';
  message: string;
  detail: string;
}

class JunitReader {
  readonly #limits: JunitLimits;
  readonly #parser = new SaxesParser();
  readonly #suites: string[] = [];
  readonly #failures: ReportedFailure[] = [];
  #depth = 0;
  #elements = 0;
  #attributes = 0;
  #isJunit = false;
  #tests = 0;
  #skipped = 0;
  #failed = 0;
  #case: OpenCase | null = null;
  #inDetail = false;

  constructor(limits: JunitLimits) {
    this.#limits = limits;
    this.#parser.on('error', (error) => {
      throw new Refused('malformed', `the report is not well-formed XML: ${error.message.slice(0, 200)}`);
    });
    this.#parser.on('doctype', () => {
      throw new Refused('doctype', 'the report has a document type, which no test report needs');
    });
    this.#parser.on('opentagstart', () => {
      this.#attributes = 0;
    });
    this.#parser.on('attribute', ({ name, value }) => this.#checkAttribute(name, value));
    this.#parser.on('opentag', (tag) => this.#open(tag));
    this.#parser.on('closetag', ({ name }) => this.#close(name));
    this.#parser.on('text', (text) => this.#text(text));
    this.#parser.on('cdata', (text) => this.#text(text));
  }

  read(xml: string): TestReport | null {
    for (let at = 0; at < xml.length; at += PIECE_CHARS) this.#parser.write(xml.slice(at, at + PIECE_CHARS));
    this.#parser.close();
    if (!this.#isJunit) return null;
    return { tests: this.#tests, skipped: this.#skipped, failed: this.#failed, failures: this.#failures };
  }

  #checkAttribute(name: string, value: string): void {
    this.#attributes += 1;
    const { attributesMax, attributeCharsMax } = this.#limits;
    if (this.#attributes > attributesMax)
      throw new Refused('too_many', `an element has over ${attributesMax} attributes`);
    if (name.length + value.length > attributeCharsMax) {
      throw new Refused('attribute_too_long', `an attribute is over ${attributeCharsMax} characters`);
    }
  }

  #open({ name, attributes }: SaxesTagPlain): void {
    this.#depth += 1;
    this.#elements += 1;
    if (this.#depth > this.#limits.depthMax)
      throw new Refused('too_deep', `elements nest over ${this.#limits.depthMax} deep`);
    if (this.#elements > this.#limits.elementsMax) {
      throw new Refused('too_many', `the report has over ${this.#limits.elementsMax} elements`);
    }
    if (name === 'testsuites' || name === 'testsuite') this.#openSuite(name, attributes);
    else if (name === 'testcase') this.#openCase(attributes);
    else if (this.#case !== null) this.#openOutcome(this.#case, name, attributes);
  }

  #openSuite(name: string, attributes: Readonly<Record<string, string>>): void {
    this.#isJunit = true;
    if (name === 'testsuite') this.#suites.push(attributes['name'] ?? '');
  }

  #openCase(attributes: Readonly<Record<string, string>>): void {
    this.#tests += 1;
    this.#case = {
      name: (attributes['name'] ?? '').slice(0, NAME_CHARS_MAX),
      suite: (attributes['classname'] ?? this.#suites.at(-1) ?? '').slice(0, NAME_CHARS_MAX),
      file: attributes['file'] ?? null,
      line: attributes['line'] ?? null,
      outcome: 'passed',
      message: '',
      detail: '',
    };
  }

  #openOutcome(open: OpenCase, name: string, attributes: Readonly<Record<string, string>>): void {
    if (name === 'skipped' && open.outcome === 'passed') open.outcome = 'skipped';
    if (name !== 'failure' && name !== 'error') return;
    open.outcome = 'failed';
    if (open.message === '') open.message = (attributes['message'] ?? '').slice(0, DETAIL_CHARS_MAX);
    this.#inDetail = true;
  }

  #text(text: string): void {
    const open = this.#case;
    if (open === null || !this.#inDetail || open.detail.length >= DETAIL_CHARS_MAX) return;
    open.detail += text.slice(0, DETAIL_CHARS_MAX - open.detail.length);
  }

  #close(name: string): void {
    this.#depth -= 1;
    if (name === 'testsuite') this.#suites.pop();
    if (name === 'failure' || name === 'error') this.#inDetail = false;
    if (name === 'testcase') this.#closeCase();
  }

  #closeCase(): void {
    const open = this.#case;
    this.#case = null;
    this.#inDetail = false;
    if (open === null || open.outcome === 'passed') return;
    if (open.outcome === 'skipped') {
      this.#skipped += 1;
      return;
    }
    this.#failed += 1;
    const { name, suite, message, detail, file, line } = open;
    if (this.#failures.length < this.#limits.failuresMax)
      this.#failures.push({ name, suite, message, detail, file, line });
  }
}
