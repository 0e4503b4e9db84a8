/** All benchmark cases, in the order in which they run. */
import type { BenchCase } from '../case';
import { matmulCases } from './matmul';

export const CASES: readonly BenchCase[] = [...matmulCases];
