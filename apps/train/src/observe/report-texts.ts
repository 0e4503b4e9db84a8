/** What the curves and pictures of a report show, in words for somebody who sees one for the first time. */

/** A chart of the metrics log. */
export interface CurveText {
  readonly title: string;
  readonly caption: string;
  /** Columns of the log. */
  readonly columns: readonly string[];
  readonly smoothing: number;
}

/** How training went. */
export const CURVES: readonly CurveText[] = [
  {
    title: 'k-NN accuracy of the teacher',
    caption:
      'Share of held-out pictures that get their own class from their nearest training pictures: by the features of the teacher (knn), of the network as it began (knn_start) and by raw pixels (knn_pixels). What is learned is the distance between them.',
    columns: ['knn', 'knn_start', 'knn_pixels'],
    smoothing: 0,
  },
  {
    title: 'Loss',
    caption:
      'What training makes small, and its parts: global and local crops of a picture should agree on its content (DINO), hidden patches should be guessed from the rest (iBOT), features of different pictures should spread (KoLeo). The teacher moves along, so that a loss that stays level is no sign of a halt.',
    columns: ['loss', 'dino_global_crops_loss', 'dino_local_crops_loss', 'ibot_loss', 'koleo_loss'],
    smoothing: 0.9,
  },
  {
    title: 'Learning rate',
    caption:
      'How far a step goes: it rises during the warm-up and falls to nearly nothing at the end. A backbone that is frozen at first has a rate of its own (backbone_lr).',
    columns: ['lr', 'last_layer_lr', 'backbone_lr'],
    smoothing: 0,
  },
  {
    title: 'Images per second',
    caption: 'How fast the run was.',
    columns: ['images_per_second'],
    smoothing: 0.9,
  },
];

/** Whether something looks wrong. */
export const HEALTH_CURVES: readonly CurveText[] = [
  {
    title: 'Signs of health',
    caption:
      'feature_std: how much features differ from picture to picture (0: all alike, the model has collapsed; healthy is above 0.3). teacher_entropy: how undecided the teacher is among its prototypes (1: entirely, nothing is taught; 0: never). prototypes_in_use: share of them that some picture prefers.',
    columns: ['feature_std', 'teacher_entropy', 'prototypes_in_use'],
    smoothing: 0,
  },
  {
    title: 'Gradient norm before clipping',
    caption: 'How strongly a batch pulls at the weights. Spikes are cut off; a steady climb would be a bad sign.',
    columns: ['grad_norm_backbone', 'grad_norm_dino_head', 'grad_norm_ibot_head'],
    smoothing: 0.9,
  },
];

/** A picture of the run folder by the name of its files, `<kind>-<step>.png`. */
export interface PictureText {
  readonly kind: string;
  readonly caption: string;
}

/** What was learned. */
export const LEARNED: readonly PictureText[] = [
  {
    kind: 'maps',
    caption:
      'Pictures that were not trained on, and what the network tells apart in them: patches of equal colour in a row are alike to it (colours are the three strongest components of a PCA over all patches of the row; those of different rows have nothing to do with each other). Untrained, it follows colours and brightness. What to look for after training: an object in a colour of its own whatever light or pattern is on it, and the same part in the same colour in several pictures. The network looks at these pictures in a larger size than it trains on, with its positions resampled.',
  },
  {
    kind: 'neighbours',
    caption:
      'The same pictures, and the training pictures whose features are nearest to theirs: by the network as it began, and now. A blue frame: of the same class.',
  },
];

/** What was trained on. */
export const MATERIAL: readonly PictureText[] = [
  {
    kind: 'masks',
    caption:
      'Global crops of one batch, with changed colours. Where a part is masked, the student has to guess what the teacher sees there.',
  },
  { kind: 'local-crops', caption: 'Local crops: small parts, of which the student has to tell the whole picture.' },
  {
    kind: 'prototypes',
    caption:
      'How often each prototype of the widest level was the first choice. Few in use would mean that the targets are poor.',
  },
];
