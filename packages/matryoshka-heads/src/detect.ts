/**
 * The configuration of a head from the names and shapes of its weights. `slice` and `project` differ in the shape of the first projection only:
 * d x d or d x D. What leaves no trace in the weights (what follows the bottleneck) is the default of the kind of head.
 */
import type { Shape } from '@franca/tensor';
import type { HeadConfig, HeadLevel } from './config';
import { HeadError } from './errors';
import { headSpecs } from './specs';

/** Recognises a head; names are those inside the head (without `dino_head.`). Throws `HeadError` (`weights`) for anything else. */
export function detectHead(shapes: Readonly<Record<string, Shape>>): HeadConfig {
  const kind = 'last_layer.weight_v' in shapes ? 'dino' : 'matryoshka';
  const first = kind === 'dino' ? 'mlp' : 'mlps.0';
  const layers = Object.keys(shapes).filter((name) => name.startsWith(`${first}.`) && name.endsWith('.weight')).length;
  const count =
    kind === 'dino' ? 1 : Object.keys(shapes).filter((name) => /^last_layers\.\d+\.weight_v$/.test(name)).length;
  if (count === 0 || layers < 2)
    throw new HeadError(
      'weights',
      `these are no weights of a projection head: ${Object.keys(shapes).slice(0, 4).join(', ')}`,
    );
  const levels = Array.from({ length: count }, (_, i) => levelOf(shapes, kind, i));
  const config: HeadConfig = {
    kind,
    levels,
    layers,
    hiddenDim: shapes[`${first}.0.weight`]![0]!,
    bottleneckDim: shapes[kind === 'dino' ? 'last_layer.weight_v' : 'last_layers.0.weight_v']![1]!,
    ...tokenOf(shapes, kind, levels),
  };
  checkShapes(shapes, config);
  return config;
}

function levelOf(shapes: Readonly<Record<string, Shape>>, kind: HeadConfig['kind'], i: number): HeadLevel {
  const names =
    kind === 'dino' ? ['mlp.0.weight', 'last_layer.weight_v'] : [`mlps.${i}.0.weight`, `last_layers.${i}.weight_v`];
  const [mlp, prototypes] = names.map((name) => {
    const shape = shapes[name];
    if (shape?.length !== 2)
      throw new HeadError('weights', `"${name}" is ${shape ? `[${shape.join(', ')}]` : 'missing'}, expected a matrix`);
    return shape;
  }) as [Shape, Shape];
  return { width: mlp[1]!, prototypes: prototypes[0]! };
}

/** What the first projection says: its inputs are the level's slice, or the whole token. */
function tokenOf(
  shapes: Readonly<Record<string, Shape>>,
  kind: HeadConfig['kind'],
  levels: readonly HeadLevel[],
): Pick<HeadConfig, 'nesting' | 'embedDim' | 'projection'> {
  if (kind === 'dino') return { nesting: 'slice' };
  const inputs = shapes['matryoshka_projections.0.weight']?.[1];
  if (inputs === undefined) return { nesting: 'slice', projection: false };
  if (inputs === levels[0]!.width) return { nesting: 'slice' };
  return { nesting: 'project', ...(inputs === levels.at(-1)!.width ? {} : { embedDim: inputs }) };
}

function checkShapes(shapes: Readonly<Record<string, Shape>>, config: HeadConfig): void {
  const expected = headSpecs(config);
  for (const [name, { shape }] of Object.entries(expected)) {
    const found = shapes[name];
    if (!found || found.length !== shape.length || found.some((dim, i) => dim !== shape[i]))
      throw new HeadError(
        'weights',
        `"${name}" is ${found ? `[${found.join(', ')}]` : 'missing'}, the head needs [${shape.join(', ')}]`,
      );
  }
  const stray = Object.keys(shapes).find((name) => !(name in expected));
  if (stray) throw new HeadError('weights', `"${stray}" belongs to no head of ${config.levels.length} levels`);
}
