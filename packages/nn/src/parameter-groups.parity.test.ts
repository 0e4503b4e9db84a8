import { expect, test } from 'vitest';
import { parityJson, recordParity } from '../../../test/support/parity';
import { parameterRule } from './parameter-groups';

interface ModelGroups {
  readonly layerwise_decay: number;
  readonly patch_embed_lr_mult: number;
  /** By submodule and parameter: learning rate and weight decay multipliers, and whether it is a last layer. */
  readonly params: Readonly<Record<string, Readonly<Record<string, readonly [number, number, boolean]>>>>;
}

const depthOf = (names: readonly string[]): number =>
  1 + Math.max(...names.map((name) => Number(name.match(/blocks\.(?:\d+\.)?(\d+)\./)?.[1] ?? 0)));

test('a norm before the blocks learns as embeddings do, and no norm decays', () => {
  const options = { layerwiseDecay: 0.5, depth: 3 };
  expect(parameterRule('backbone.norm_pre.weight', options)).toMatchObject({
    lrMultiplier: 1 / 16,
    weightDecayMultiplier: 0,
  });
  expect(parameterRule('backbone.norm.weight', options)).toMatchObject({ lrMultiplier: 1, weightDecayMultiplier: 0 });
});

test('param_groups: every parameter of every recorded model has the official multipliers', () => {
  const models = Object.entries(parityJson('param_groups')).filter(([model]) => !model.startsWith('_'));
  for (const [model, groups] of models as [string, ModelGroups][]) {
    const options = {
      layerwiseDecay: groups.layerwise_decay,
      patchEmbedLrMultiplier: groups.patch_embed_lr_mult,
      depth: depthOf(Object.keys(groups.params.backbone!)),
    };
    const wrong = Object.entries(groups.params).flatMap(([submodule, parameters]) =>
      Object.entries(parameters).flatMap(([name, [lr, wd, last]]) => {
        const rule = parameterRule(`${submodule}.${name}`, options);
        const same =
          Math.abs(rule.lrMultiplier - lr) <= 1e-12 && rule.weightDecayMultiplier === wd && rule.isLastLayer === last;
        return same ? [] : [`${submodule}.${name}`];
      }),
    );
    recordParity('param_groups', model, wrong.length === 0 ? 0 : Number.POSITIVE_INFINITY);
    expect(wrong, `${model}: parameters with other multipliers`).toEqual([]);
  }
});
