/** The parts of an official network, by the prefixes that their names have. */
export type OfficialPart = 'backbone' | 'dino_head' | 'ibot_head' | 'rasa_head';
