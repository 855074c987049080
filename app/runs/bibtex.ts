/** The paper, for who cites it. */
export const BIBTEX = `@misc{liu2025rethinkinggspo,
  title         = {Rethinking {GSPO}: The Perplexity-Entropy Equivalence},
  author        = {Liu, C.},
  year          = {2025},
  eprint        = {2510.23142},
  archivePrefix = {arXiv},
  url           = {https://arxiv.org/abs/2510.23142}
}
`;
