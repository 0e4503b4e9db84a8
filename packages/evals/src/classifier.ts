/** Linear classifiers applied to feature rows: logits of all their classes, or of some of them. */
import type { EvalBackend, LinearClassifier } from './backend/eval-backend';
import { checkSet, ROWS } from './check-features';
import { checkArgument, checkBackend, checkOption } from './errors';
import { checkWidths, type Matrix } from './matrix';

/** Refuses what is no linear classifier. */
export function checkClassifier(what: string, classifier: LinearClassifier): void {
  checkSet(what, classifier, { weight: 'object', bias: 'Float32Array' });
  checkSet(`${what}.weight`, classifier.weight, ROWS);
  const { weight, bias } = classifier;
  checkOption(bias.length === weight.rows, `${what} has ${bias.length} biases for ${weight.rows} rows of weights`);
}

/**
 * Logits `x W^T + b`, `[rows, C]`.
 *
 * @throws EvalsError `bad-features` when the widths differ
 */
export async function classify(backend: EvalBackend, classifier: LinearClassifier, x: Matrix): Promise<Matrix> {
  checkBackend('classify', backend);
  checkClassifier('classify: classifier', classifier);
  checkSet('classify: x', x, ROWS);
  checkWidths(x, classifier.weight);
  const data = await backend.products(x, classifier.weight);
  const classes = classifier.weight.rows;
  for (let i = 0; i < data.length; i++) data[i]! += classifier.bias[i % classes]!;
  return { data, rows: x.rows, cols: classes };
}

/**
 * The classifier restricted to some of its classes, in that order: test sets that hold a subset of the training classes
 * (ImageNet-A, ImageNet-R) are scored among those only. `mapping[i]` is the training class of the subset's class `i`.
 */
export function restrictClasses(classifier: LinearClassifier, mapping: readonly number[]): LinearClassifier {
  checkClassifier('restrictClasses: classifier', classifier);
  checkArgument('restrictClasses', 'mapping', mapping, 'numbers');
  const { weight, bias } = classifier;
  const bad = mapping.find((c) => !Number.isInteger(c) || c < 0 || c >= weight.rows);
  checkOption(bad === undefined, `the class mapping names class ${bad} of a classifier with ${weight.rows} classes`);
  const data = new Float32Array(mapping.length * weight.cols);
  mapping.forEach((c, i) => {
    data.set(weight.data.subarray(c * weight.cols, (c + 1) * weight.cols), i * weight.cols);
  });
  return {
    weight: { data, rows: mapping.length, cols: weight.cols },
    bias: Float32Array.from(mapping, (c) => bias[c]!),
  };
}
