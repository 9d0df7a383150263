"""SBML text read into a `System`: one file per subject.

`text` looks at a file before any tree is built of it, `from_antimony` translates, `document` asks libSBML what is
wrong; then `mathml` reads formulas, `quantities`, `reactions` and `events` what they are formulas of, `rates_of`
resolves rates of change, and `assemble` makes the system. Whatever cannot be read is a finding, and all findings of
a model are collected before it is refused.
"""
