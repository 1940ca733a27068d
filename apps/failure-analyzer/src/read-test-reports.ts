import { JUNIT_LIMITS, parseJunit, type TestReport } from '@delta-ci/analysis';
import { StoreError, type ContentStore } from '@delta-ci/artifact-store';
import type { ArtifactRecord } from '@delta-ci/contracts';

/** One report per package is common; more than this many are counted as unread. */
const REPORTS_MAX = 20;
/** A report is a few hundred kilobytes; the parser refuses what is over its own limit anyway. */
const REPORT_BYTES_MAX = JUNIT_LIMITS.charsMax;
/** All reports of an attempt together: parsing runs at some 20 MB a second. */
const TOTAL_BYTES_MAX = 16 * 1024 * 1024;

export interface ReadTestReports {
  readonly testReports: readonly TestReport[];
  /** What could not be read, one sentence each. */
  readonly unread: readonly string[];
}

/** The JUnit reports among the artifacts of an attempt, by digest and within bounds. */
export async function readTestReports(
  content: ContentStore,
  artifacts: readonly ArtifactRecord[],
  signal: AbortSignal,
): Promise<ReadTestReports> {
  const reports = artifacts.filter(({ type }) => type === 'junit');
  const testReports: TestReport[] = [];
  const unread: string[] = [];
  let bytesLeft = TOTAL_BYTES_MAX;
  for (const artifact of reports.slice(0, REPORTS_MAX)) {
    signal.throwIfAborted();
    const read = await readOne(content, artifact, Math.min(bytesLeft, REPORT_BYTES_MAX));
    if (read.ok) testReports.push(read.report);
    else unread.push(`The test report ${artifact.name.slice(0, 200).toWellFormed()} was not read: ${read.why}.`);
    if (read.ok) bytesLeft -= artifact.sizeBytes;
  }
  if (reports.length > REPORTS_MAX) unread.push(`${reports.length - REPORTS_MAX} more test reports were not read.`);
  return { testReports, unread };
}

type ReadOne = { readonly ok: true; readonly report: TestReport } | { readonly ok: false; readonly why: string };

async function readOne(content: ContentStore, { digest }: ArtifactRecord, bytesMax: number): Promise<ReadOne> {
  try {
    const bytes = await content.read(digest, Math.max(0, bytesMax));
    const parsed = parseJunit(new TextDecoder().decode(bytes));
    return parsed.ok ? parsed : { ok: false, why: parsed.message };
  } catch (error) {
    if (error instanceof StoreError) return { ok: false, why: error.message };
    throw error;
  }
}
