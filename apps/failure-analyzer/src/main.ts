import { runService } from '@delta-ci/service';
import { analyzerSettings } from './config.ts';
import { startAnalyzer } from './start-analyzer.ts';

await runService({ name: 'failure-analyzer', settings: analyzerSettings, start: startAnalyzer });
