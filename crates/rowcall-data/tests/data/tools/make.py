import datetime as dt, decimal, sys
import pyarrow as pa, pyarrow.parquet as pq, pandas as pd, polars as pl, duckdb
D=decimal.Decimal
rows=dict(text=["Ann is 30",None,"Bob is 41 ü"], n=[2**53+1,None,-7], price=[D("12345678901234567890.12"),None,D("-0.05")],
  day=[dt.date(2026,11,30),None,dt.date(1,1,1)], at=[dt.datetime(2026,11,30,7,0,0,123456),None,dt.datetime(1677,1,1)],
  flag=[True,None,False], tags=[["a",None],None,[]])
t=pa.table({"text":rows["text"],"n":rows["n"],"price":pa.array(rows["price"],pa.decimal128(38,2)),"day":rows["day"],
 "at":pa.array(rows["at"],pa.timestamp("us","Europe/Berlin")),"flag":rows["flag"],"tags":rows["tags"],
 "category":pa.array(["x",None,"y"]).dictionary_encode(),"half":pa.array([1.5,None,float("nan")],pa.float16()),
 "raw":pa.array([b"\x00\xff",None,b""]),"map":pa.array([[("k",1)],None,[]],pa.map_(pa.string(),pa.int32()))})
pq.write_table(t,"pyarrow.parquet")
pq.write_table(t.select(["text","n"]).append_column("at",pa.array([dt.datetime(9999,12,31,23,59,59),None,dt.datetime(1600,1,1)],pa.timestamp("us"))),"int96.parquet",use_deprecated_int96_timestamps=True)
pd.DataFrame({"text":rows["text"],"n":pd.array(rows["n"],"Int64"),"at":pd.to_datetime(["2026-11-30 07:00",None,"1999-01-01 00:00"]),"category":pd.Categorical(["x",None,"y"])}).to_parquet("pandas.parquet")
pl.DataFrame({"text":rows["text"],"n":rows["n"],"price":pl.Series(rows["price"],dtype=pl.Decimal(38,2)),"day":rows["day"],"at":pl.Series([dt.datetime(2026,11,30,7),None,dt.datetime(2000,1,1)],dtype=pl.Datetime("us","Europe/Berlin")),"took":pl.Series([dt.timedelta(seconds=1,microseconds=5),None,dt.timedelta(days=-2)]),"kind":pl.Series(["x",None,"y"],dtype=pl.Enum(["x","y"])),"cat":pl.Series(["p",None,"q"],dtype=pl.Categorical),"clock":[dt.time(1,2,3,4),None,dt.time(0)],"tags":rows["tags"]}).write_parquet("polars.parquet")
pl.read_parquet("polars.parquet").write_ipc("polars.arrow")
c=duckdb.connect()
c.sql("""copy (select * from (values ('Ann is 30', 170141183460469231731687303715884105727::hugeint, uuid '00000000-0000-0000-0000-0000000000ff', 'a'::enum('a','b'), '24:00:00'::time, timestamp '2026-11-30 07:00:00', timestamptz '2026-11-30 07:00:00+01', json '{"a":1}', map{1:'x'}, [1,2]::int[2], {'a':1,'b':null::varchar}, blob '\\xAA'), (null,null,null,null,null,null,null,null,null,null,null,null)) t(text,huge,id,kind,clock,moment,zoned,doc,entries,pair,s,raw)) to 'duckdb.parquet' (format parquet)""")
c.sql("copy (select 'Ann is 30' as text, interval '1 month' as month) to 'interval.parquet' (format parquet)")
import openpyxl
b=openpyxl.Workbook(); s=b.active; s.title="People"
s.append(["text","n","day","at","clock","took","price","formula","flag",None])
s.append(["Ann is 30",7,dt.date(2026,11,30),dt.datetime(2026,11,30,7,0,0),dt.time(1,2,3),dt.timedelta(seconds=90),1.5,"=B2+1",True,None])
s.append(["007",None,None,None,None,None,2.0,None,False,None])
s.merge_cells("A4:A5"); s["A4"]="Bob is 41"
b.create_sheet("Other"); b.save("sheet.xlsx")
