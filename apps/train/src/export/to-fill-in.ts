/** The mark of what the author of a model has to write into its card; `export` sets it and `publish` looks for it. */
export const TO_FILL_IN = 'To fill in:';
