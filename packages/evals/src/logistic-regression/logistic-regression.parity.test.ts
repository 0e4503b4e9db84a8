import { expect, test } from 'vitest';
import { checkParity, parityFile } from '../../../../test/support/parity';
import { cpuBackend } from '../backend/cpu';
import { matrix } from '../matrix';
import { fitLogistic, fittedClassifier } from './fit';
import { scoreFit } from './sweep';

const file = parityFile('eval_logreg');
const { classes, dim, runs } = file.config;

test.each(Object.keys(runs))('%s: weights, objective and accuracy are those of the reference solver', async (run) => {
  const { C: c, objective, test_acc } = runs[run];
  const labels = file.ints('train_labels');
  using session = cpuBackend.openSoftmaxRegression({ x: matrix(file.floats('train'), dim), labels, classes });
  const fit = await fitLogistic(session, [classes, dim], { c });
  expect(fit.converged).toBe(true);
  const weights = classes * dim;
  checkParity(file, `${run} coef`, fit.parameters.subarray(0, weights), file.floats(`${run}.coef`), { ofMax: 2e-3 });
  checkParity(file, `${run} intercept`, fit.parameters.subarray(weights), file.floats(`${run}.intercept`), {
    ofMax: 2e-3,
  });
  checkParity(file, `${run} objective`, [fit.objective], [objective], { relative: 1e-6 });
  const testSet = { dim, cls: file.floats('test'), labels: file.ints('test_labels') };
  const { counts } = await scoreFit(cpuBackend, fittedClassifier(fit), testSet);
  const right = counts.right.reduce((sum, count) => sum + count, 0);
  checkParity(file, `${run} right answers`, [right], [test_acc * testSet.labels.length], { absolute: 1 });
});
