import { artifactSettings, busSettings, commonSettings } from '@delta-ci/service';
import { z } from 'zod';

/** What the analyzer reads from its environment: where events come from, and where logs and test reports are. */
export const analyzerSettings = z.object({ ...commonSettings, ...busSettings, ...artifactSettings });
export type AnalyzerConfig = z.output<typeof analyzerSettings>;
