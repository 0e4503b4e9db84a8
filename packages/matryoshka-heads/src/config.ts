/** What a projection head consists of. */
import { optionProblem } from '@franca/tensor';
import { HeadError } from './errors';

/** One level of nested prototypes. */
export interface HeadLevel {
  /** d, components of the token that the level sees. */
  readonly width: number;
  /** K, its prototypes. */
  readonly prototypes: number;
}

export interface HeadConfig {
  /** `matryoshka`: nested levels that share nothing but the token. `dino`: the plain head of DINO and DINOv2, one level. */
  readonly kind: 'matryoshka' | 'dino';
  /**
   * `slice`: level i sees the first d_i components of the token, through a d_i x d_i layer (the paper, and the code since July 2025). `project`: it sees the whole
   * token through a d_i x D layer (the first release).
   */
  readonly nesting: 'slice' | 'project';
  /** Coarse to fine. */
  readonly levels: readonly HeadLevel[];
  /** Linear layers of the MLP, at least 2. */
  readonly layers: number;
  readonly hiddenDim: number;
  /** b, what the MLP ends in and prototypes are compared with. */
  readonly bottleneckDim: number;
  /**
   * Standard deviation of the initial weights of linear layers (default 0.02, official). The scale of the first logits is what it takes to the power of the number
   * of layers: a narrow head starts at the official scale with 0.02 times the square root of the ratio of widths.
   */
  readonly initStd?: number;
  /** D, width of the token (default: width of the last level). */
  readonly embedDim?: number;
  /** The linear layer before the MLP of a Matryoshka level (default true). */
  readonly projection?: boolean;
  /** What follows the last layer of the MLP: GELU (default of `matryoshka`, as officially) or L2 normalisation (default of `dino`). */
  readonly bottleneck?: 'gelu' | 'l2';
}

/** Nesting levels of Franca: D/16, D/8, D/4, D/2 and D, each with the share of `prototypes` that it has of the token: K = int(prototypes d / D). */
export function matryoshkaLevels(
  embedDim: number,
  prototypes: number,
  widths: readonly number[] = [16, 8, 4, 2, 1].map((divisor) => embedDim / divisor),
): HeadLevel[] {
  return widths.map((width) => ({ width, prototypes: Math.trunc((prototypes * width) / embedDim) }));
}

/** Franca's head for tokens of width D; `overrides` win. Official bottlenecks are 384 for CLS tokens (the default) and 256 for patches. */
export const matryoshkaConfig = (
  embedDim: number,
  prototypes = 131072,
  overrides: Partial<HeadConfig> = {},
): HeadConfig => ({
  kind: 'matryoshka',
  nesting: 'slice',
  levels: matryoshkaLevels(embedDim, prototypes),
  layers: 3,
  hiddenDim: 2048,
  bottleneckDim: 384,
  ...known(overrides),
});

/** The plain head of DINOv2 for tokens of width D; `overrides` win. */
export const dinoConfig = (embedDim: number, prototypes = 65536, overrides: Partial<HeadConfig> = {}): HeadConfig => ({
  kind: 'dino',
  nesting: 'slice',
  levels: [{ width: embedDim, prototypes }],
  layers: 3,
  hiddenDim: 2048,
  bottleneckDim: 256,
  ...known(overrides),
});

const KEYS: Record<keyof HeadConfig, true> = {
  kind: true,
  nesting: true,
  levels: true,
  layers: true,
  hiddenDim: true,
  bottleneckDim: true,
  initStd: true,
  embedDim: true,
  projection: true,
  bottleneck: true,
};

/** The overrides as they are. Throws `HeadError` (`config`) where one has no such name. */
function known(overrides: Partial<HeadConfig>): Partial<HeadConfig> {
  const problem = optionProblem(overrides, KEYS);
  if (problem) throw new HeadError('config', problem);
  return overrides;
}

/** Width D of the tokens a head takes. */
export const embedDimOf = (config: HeadConfig): number => config.embedDim ?? config.levels.at(-1)?.width ?? 0;

/** Throws `HeadError` (`config`) for a head that cannot be. */
export function checkConfig(config: HeadConfig): void {
  const { kind, levels, layers, hiddenDim, bottleneckDim } = config;
  const D = embedDimOf(config);
  const refuse = (problem: string): never => {
    throw new HeadError('config', problem);
  };
  const whole = (value: number) => Number.isInteger(value) && value > 0;
  if (levels.length === 0) refuse('a head needs at least one level');
  if (kind === 'dino' && (levels.length !== 1 || levels[0]!.width !== D))
    refuse(
      `a plain DINO head has one level of the token's width ${D}, got ${levels.map(({ width }) => width).join(', ')}`,
    );
  for (const { width, prototypes } of levels)
    if (!whole(width) || width > D || !whole(prototypes))
      refuse(
        `a level of width ${width} with ${prototypes} prototypes: give whole numbers above 0, and a width of at most ${D}`,
      );
  if (!whole(layers) || layers < 2) refuse(`an MLP of ${layers} layers: give 2 or more`);
  if (!whole(hiddenDim) || !whole(bottleneckDim))
    refuse(`hiddenDim ${hiddenDim} and bottleneckDim ${bottleneckDim}: give whole numbers above 0`);
}
