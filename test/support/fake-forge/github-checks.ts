import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';

/** A check run as the fake forge keeps it: what was sent last, and an id. */
export interface CheckRun {
  id: number;
  name: string;
  head_sha: string;
  status: 'queued' | 'in_progress' | 'completed';
  conclusion: string | null;
  external_id: string;
  details_url: string;
  started_at: string | null;
  completed_at: string | null;
  output: { title: string; summary: string; text: string };
  annotations: { path: string; start_line: number; end_line: number; annotation_level: string; message: string }[];
  actions: { label: string; description: string; identifier: string }[];
}

interface Operation {
  method: string;
  path: string;
  request: object | null;
}

/** The operations of GitHub's published API description (npm package @octokit/openapi 23.0.2, MIT) that we use. */
const OPERATIONS = JSON.parse(readFileSync(new URL('github-operations.json', import.meta.url), 'utf8')) as Record<
  'checks/create' | 'checks/update' | 'checks/list-for-ref',
  Operation
>;

const ajv = new Ajv({ strict: false, allErrors: true, formats: { 'date-time': true, uri: true } });
const validators = new Map<string, ValidateFunction>();

/** What GitHub would find wrong with a request body; empty when it would take it. */
export function problemsOf(operation: 'checks/create' | 'checks/update', body: unknown): string[] {
  const schema = OPERATIONS[operation].request;
  if (schema === null) return [];
  let validate = validators.get(operation);
  if (validate === undefined) {
    validate = ajv.compile(schema);
    validators.set(operation, validate);
  }
  const problems = validate(body)
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  return [...problems, ...conclusionProblems(body)];
}

/** GitHub refuses this although its description allows it. */
function conclusionProblems(body: unknown): string[] {
  if (typeof body !== 'object' || body === null) return [];
  const completed = 'status' in body && body.status === 'completed';
  return completed && !('conclusion' in body) ? ['a completed check run needs a conclusion'] : [];
}

type Fields = Partial<Omit<CheckRun, 'id' | 'annotations' | 'output'>> & {
  output?: Partial<CheckRun['output']> & { annotations?: CheckRun['annotations'] };
};

export function createdCheckRun(id: number, fields: Fields): CheckRun {
  const empty: CheckRun = {
    id,
    name: '',
    head_sha: '',
    status: 'queued',
    conclusion: null,
    external_id: '',
    details_url: '',
    started_at: null,
    completed_at: null,
    output: { title: '', summary: '', text: '' },
    annotations: [],
    actions: [],
  };
  return updatedCheckRun(empty, fields);
}

/** Annotations are added to, everything else is replaced, as GitHub does it; a conclusion completes the check run. */
export function updatedCheckRun(run: CheckRun, { output, ...fields }: Fields): CheckRun {
  const { annotations = [], ...texts } = output ?? {};
  const status = fields.conclusion === undefined ? (fields.status ?? run.status) : 'completed';
  const conclusion = status === 'completed' ? (fields.conclusion ?? run.conclusion) : null;
  return {
    ...run,
    ...fields,
    status,
    conclusion,
    output: { ...run.output, ...texts },
    annotations: [...run.annotations, ...annotations],
  };
}
