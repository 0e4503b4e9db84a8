/**
 * Depth (paper Table 6) as results: metrics of each test image, averaged over images. The published number is SI-RMSE, the error that is left when each prediction
 * has been given the scale and shift that fit it best; beside it stands the plain error.
 */
import type { OptionKinds } from '@franca/tensor';
import { valueItems } from '../compare/item-results';
import { checkArgument, checkOption, checkOptions } from '../errors';
import type { Json, Outcome } from '../outcome';
import { PAPER_SETTINGS } from '../report/paper-results';
import type { DepthMetrics } from './depth-metrics';
import { DEPTH_PROTOCOLS, type DepthHead, type DepthProtocol } from './depth-protocol';

export interface DepthOutcomeOptions {
  readonly protocol: DepthProtocol | 'ridge';
  /** Of a trained probe. */
  readonly head?: DepthHead;
  /** What sets these features apart, such as `low`. */
  readonly label?: string;
  /** Images that there are to evaluate; default those given. */
  readonly total?: number;
  /** Settings for the record. */
  readonly hyper?: Readonly<Record<string, Json>>;
  readonly seeds?: readonly number[];
  /** Whether data, features and training are the paper's; only then is its number shown beside. */
  readonly isPaper?: boolean;
  readonly wallMs?: number;
}

const OPTIONS: OptionKinds<DepthOutcomeOptions> = {
  protocol: [...DEPTH_PROTOCOLS, 'ridge'],
  head: ['dpt', 'linear'],
  label: 'string',
  total: 'number',
  hyper: 'object',
  seeds: 'numbers',
  isPaper: 'boolean',
  wallMs: 'number',
};

/**
 * Two outcomes, SI-RMSE and plain RMSE, each with its shares beside it; none where no image has a reading.
 *
 * @param images metrics in the order of the test set; undefined for an image without any measured pixel, which is not scored but counted
 * @throws EvalsError `argument` or `options`
 */
export function depthOutcomes(images: readonly (DepthMetrics | undefined)[], options: DepthOutcomeOptions): Outcome[] {
  checkArgument('depthOutcomes', 'images', images, 'list');
  checkArgument('depthOutcomes', 'options', options, 'object');
  checkOptions('depthOutcomes', options, OPTIONS);
  checkArgument('depthOutcomes', 'protocol', options.protocol, [...DEPTH_PROTOCOLS, 'ridge']);
  const { protocol, head, label, total = images.length, hyper = {}, seeds = [], isPaper = false, wallMs = 0 } = options;
  for (const image of images)
    checkOption(
      image === undefined || Number.isFinite(image?.siRmse),
      'depthOutcomes: images are what depthMetrics returns',
    );
  const scored = images.filter((image) => image !== undefined);
  if (scored.length === 0) return [];
  const unscored = images.length - scored.length;
  const mean = (part: keyof DepthMetrics): number =>
    scored.reduce((sum, image) => sum + image[part], 0) / scored.length;
  const named = head === 'linear' && protocol !== 'dinov3' ? ['linear head'] : [];
  const common = {
    task: 'depth',
    protocol,
    evaluated: scored.length,
    total,
    unit: 'number',
    perClass: [],
    hyper: { ...hyper, ...(head && { head }), unscored, settings: isPaper ? PAPER_SETTINGS : 'own' },
    selectedOn: 'nothing',
    seeds,
    quirks: false,
    wallMs,
  } as const;
  const outcome = (
    metric: string,
    part: 'siRmse' | 'rmse',
    words: readonly string[],
    others: Record<string, number>,
  ): Outcome => ({
    ...common,
    variant: [...(label ? [label] : []), ...words].join(', '),
    metric,
    value: mean(part),
    others,
    items: valueItems(scored.map((image) => image[part])),
  });
  return [
    outcome('SI-RMSE', 'siRmse', named, { 'SI-d1': mean('siD1'), 'SI-d2': mean('siD2'), 'SI-d3': mean('siD3') }),
    outcome('RMSE', 'rmse', [...named, 'plain'], {
      d1: mean('d1'),
      d2: mean('d2'),
      d3: mean('d3'),
      'abs rel': mean('absRel'),
    }),
  ];
}
