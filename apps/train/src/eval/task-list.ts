/** All evaluations, in the order in which `eval all` runs them. */
import type { EvalTask } from './task';
import { coverageTask } from './tasks/coverage';
import { entropyTask } from './tasks/entropy';
import { inContextTask } from './tasks/in-context';
import { knnTask } from './tasks/knn';
import { linearTask } from './tasks/linear';
import { linearSegTask } from './tasks/linear-seg';
import { logregTask } from './tasks/logreg';
import { oodTask } from './tasks/ood';
import { overclusterTask } from './tasks/overcluster';
import { positionTask } from './tasks/position';
import { truncationTask } from './tasks/truncation';

export const evalTasks: readonly EvalTask[] = [
  knnTask,
  linearTask,
  logregTask,
  truncationTask,
  oodTask,
  inContextTask,
  linearSegTask,
  overclusterTask,
  positionTask,
  entropyTask,
  coverageTask,
];
