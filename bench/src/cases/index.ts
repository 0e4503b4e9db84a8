/** All benchmark cases, in the order in which they run. */
import type { BenchCase } from '../case';
import { attentionCases } from './attention';
import { matmulCases } from './matmul';
import { resizeCases } from './resize';
import { rowCases } from './rows';
import { trainingCases } from './training';

export const CASES: readonly BenchCase[] = [
  ...matmulCases,
  ...attentionCases,
  ...rowCases,
  ...resizeCases,
  ...trainingCases,
];
