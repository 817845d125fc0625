"""Makes src/closs/data/health_insurance.csv from the copy of the data that statsmodels ships (public domain).

`python tools/make_tour_data.py` needs statsmodels. Every tenth person of the 20 190, whose physical limitation was
observed and not imputed.
"""

from pathlib import Path

import statsmodels.api as sm

COLUMNS = ["mdvis", "physlm", "disea", "lncoins", "idp", "lpi", "fmde", "hlthg", "hlthf", "hlthp"]
TARGET = Path(__file__).resolve().parents[1] / "src/closs/data/health_insurance.csv"

table = sm.datasets.randhie.load_pandas().data
table = table[table["physlm"].isin([0, 1])].iloc[::10][COLUMNS]
table.to_csv(TARGET, index=False, float_format="%.6g")
print(f"{len(table)} rows, {TARGET.stat().st_size} bytes")
