/** The table that AdamW's kernel reads: [parameters + 1, 4], a row for each parameter and one for all. */
import {
  cast,
  concat,
  constant,
  equal,
  gatherRows,
  mul,
  notEqual,
  reshape,
  select,
  sub,
  type Tensor,
} from '@franca/tensor';
import type { ParameterRule } from './parameter-groups';

export interface TableInput {
  readonly rules: readonly ParameterRule[];
  /** Scalars. */
  readonly lr: Tensor;
  readonly lastLayerLr: Tensor;
  /** Of the trunk; undefined: `lr`. */
  readonly trunkLr: Tensor | undefined;
  readonly weightDecay: Tensor;
  /** Factor of the gradients of each clip group [G], and the group of each parameter. */
  readonly scale: Tensor;
  readonly groupOf: readonly number[];
  /** Scalars: whether weights and moments change, whether anything does, and the teacher's momentum. */
  readonly go: Tensor;
  readonly enabled: Tensor | undefined;
  readonly momentum: Tensor | undefined;
  /** [2]: 1 - b1^t and 1 - b2^t. */
  readonly corrections: Tensor;
}

/** Row p: lr, 1 - lr wd, gradient scale, whether it rests. Last row: go, momentum, c1, c2. */
export function parameterTable(input: TableInput): Tensor {
  const { rules, lr, lastLayerLr, trunkLr, weightDecay, scale, groupOf, go, enabled, momentum, corrections } = input;
  const P = rules.length;
  const column = (values: readonly number[]) => constant(values, [P]);
  const rows = (x: Tensor) => reshape(x, [P, 1]);
  const where = (holds: (rule: ParameterRule) => boolean) => constant(rules.map(holds).map(Number), [P], 'u32');
  const outside = select(
    where(({ isLastLayer }) => isLastLayer),
    lastLayerLr,
    lr,
  );
  const isTrunk = where((rule) => rule.isTrunk === true);
  const rates = trunkLr ? select(isTrunk, trunkLr, outside) : outside;
  const lrs = mul(column(rules.map(({ lrMultiplier }) => lrMultiplier)), rates);
  const rests = trunkLr ? mul(cast(isTrunk, 'f32'), cast(equal(trunkLr, 0), 'f32')) : mul(lrs, 0);
  const decays = mul(column(rules.map(({ weightDecayMultiplier }) => weightDecayMultiplier)), weightDecay);
  const decay = sub(1, mul(lrs, decays));
  const scales = gatherRows(reshape(scale, [scale.shape[0]!, 1]), constant(groupOf, [P], 'u32'));

  const still = constant([1], []);
  const follow = momentum ?? still;
  const one = (x: Tensor) => reshape(x, [1, 1]);
  const shared = [
    one(go),
    one(enabled ? select(notEqual(enabled, 0), follow, still) : follow),
    reshape(corrections, [1, 2]),
  ];
  const last = concat(shared, 1);
  return concat([concat([rows(lrs), rows(decay), scales, rows(rests)], 1), last], 0);
}
