/** Parameters of the heads under their official names, with the official initialisation. That is N(0, 0.02) for linear layers unless `initStd` says otherwise, bias 0; prototypes as in `prototypeSpecs`. */
import { linearSpecs, type ParameterSpecs, prefixed, prototypeSpecs } from '@franca/nn';
import { checkConfig, embedDimOf, type HeadConfig, type HeadLevel } from './config';

/** Names of the parts of level i. In `nn.Sequential` numbering every second module of the MLP is an activation. */
export const levelNames = (
  kind: HeadConfig['kind'],
  i: number,
): { projection: string; mlp: string; prototypes: string } =>
  kind === 'dino'
    ? { projection: '', mlp: 'mlp', prototypes: 'last_layer' }
    : { projection: `matryoshka_projections.${i}`, mlp: `mlps.${i}`, prototypes: `last_layers.${i}` };

/** Whether a linear layer comes before the MLP. */
export const hasProjection = ({ kind, projection = true }: HeadConfig): boolean => kind === 'matryoshka' && projection;

/** Parameters of a head, in official order. Throws `HeadError` (`config`). */
export function headSpecs(config: HeadConfig): ParameterSpecs {
  checkConfig(config);
  const parts = config.levels.map((level, i) => levelSpecs(config, level, i));
  // official order: all projections, then all MLPs, then all prototypes
  return Object.assign({}, ...parts.map(([a]) => a), ...parts.map(([, b]) => b), ...parts.map(([, , c]) => c));
}

function levelSpecs(config: HeadConfig, { width, prototypes }: HeadLevel, i: number): ParameterSpecs[] {
  const { kind, nesting, layers, hiddenDim, bottleneckDim, initStd = 0.02 } = config;
  const names = levelNames(kind, i);
  const seen = hasProjection(config) || nesting === 'slice' ? width : embedDimOf(config);
  const mlp = Array.from({ length: layers }, (_, layer) =>
    prefixed(
      `${names.mlp}.${2 * layer}`,
      linearSpecs(layer === 0 ? seen : hiddenDim, layer === layers - 1 ? bottleneckDim : hiddenDim, { std: initStd }),
    ),
  );
  return [
    hasProjection(config)
      ? prefixed(
          names.projection,
          linearSpecs(nesting === 'slice' ? width : embedDimOf(config), width, { std: initStd }),
        )
      : {},
    Object.assign({}, ...mlp),
    prefixed(names.prototypes, prototypeSpecs(prototypes, bottleneckDim)),
  ];
}
