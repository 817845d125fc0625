"""Makes the tables of src/closs/data from copies that other packages ship (sources and licences: its README.md).

`python tools/make_tour_data.py` needs statsmodels and scikit-learn. Of the health insurance data every tenth person of
the 20 190, whose physical limitation was observed and not imputed; of the digits all.
"""

from pathlib import Path

import numpy as np
import statsmodels.api as sm
from sklearn.datasets import load_digits

COLUMNS = ["mdvis", "physlm", "disea", "lncoins", "idp", "lpi", "fmde", "hlthg", "hlthf", "hlthp"]
DATA = Path(__file__).resolve().parents[1] / "src/closs/data"

table = sm.datasets.randhie.load_pandas().data
table = table[table["physlm"].isin([0, 1])].iloc[::10][COLUMNS]
table.to_csv(DATA / "health_insurance.csv", index=False, float_format="%.6g")

digits = load_digits()
header = ",".join([*(f"pixel{k}" for k in range(64)), "digit"])
rows = np.column_stack([digits.data, digits.target])
np.savetxt(DATA / "digits.csv", rows, fmt="%d", delimiter=",", header=header, comments="")
for path in DATA.glob("*.csv"):
    print(f"{path.name}: {path.stat().st_size} bytes")
