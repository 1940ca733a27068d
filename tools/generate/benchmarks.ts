import { historyPage } from '../bench/report/history-page.ts';
import { HISTORY_FOLDER, readHistory } from '../bench/report/history.ts';
import { repositoryRoot } from './checked-in.ts';
import type { Generator } from './generator.ts';
import { page } from './markdown.ts';

export const benchmarksGenerator: Generator = {
  title: 'benchmarks',
  files: async () => ({ [`${HISTORY_FOLDER}/README.md`]: await page(historyPage(await readHistory(repositoryRoot))) }),
};
