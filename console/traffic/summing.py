"""The triggers that keep sums of the addresses that were counted, for migrations: whoever writes AddressRollup, whether
counting, retention or a hand, the sums are right when its statement ends.

Sums move by what came and what went. They are locked in one order by each statement, but a transaction of several
may wait for another: who writes AddressRollup holds the counter's lock (console.traffic.counting).
"""

IS_WHOLE = "masklen(address) = CASE family(address) WHEN 4 THEN 32 ELSE 128 END"
_OF_NETWORKS = (
    "SELECT measure, day, network, sum({sign}number) FROM {rows} GROUP BY measure, day, network ORDER BY network, day"
)
_OF_ADDRESSES = f"SELECT address, sum({{sign}}number) FROM {{rows}} WHERE {IS_WHOLE} GROUP BY address ORDER BY address"
_ADD = f"""
    INSERT INTO console_networkrollup AS held (measure, day, network, number)
    {_OF_NETWORKS}
    ON CONFLICT (network, day, measure) DO UPDATE SET number = held.number + EXCLUDED.number;
    INSERT INTO console_addresstotal AS held (address, number)
    {_OF_ADDRESSES}
    ON CONFLICT (address) DO UPDATE SET number = held.number + EXCLUDED.number;
"""
FUNCTIONS = f"""
CREATE FUNCTION console_traffic_add() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {_ADD.format(sign="", rows="changed")}
    RETURN NULL;
END $$;
CREATE FUNCTION console_traffic_subtract() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {_ADD.format(sign="-", rows="changed")}
    DELETE FROM console_networkrollup AS held USING changed WHERE held.number = 0
        AND (held.network, held.day, held.measure) = (changed.network, changed.day, changed.measure);
    DELETE FROM console_addresstotal AS held USING changed WHERE held.number = 0 AND held.address = changed.address;
    RETURN NULL;
END $$;
CREATE TRIGGER traffic_added AFTER INSERT ON console_addressrollup REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION console_traffic_add();
CREATE TRIGGER traffic_changed_1 AFTER UPDATE ON console_addressrollup REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION console_traffic_add();
CREATE TRIGGER traffic_changed_2 AFTER UPDATE ON console_addressrollup REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION console_traffic_subtract();
CREATE TRIGGER traffic_subtracted AFTER DELETE ON console_addressrollup REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION console_traffic_subtract();
"""
NO_FUNCTIONS = "DROP FUNCTION console_traffic_add() CASCADE; DROP FUNCTION console_traffic_subtract() CASCADE;"
ANEW = f"""
DELETE FROM console_networkrollup;
DELETE FROM console_addresstotal;
INSERT INTO console_networkrollup (measure, day, network, number)
{_OF_NETWORKS.format(sign="", rows="console_addressrollup")};
INSERT INTO console_addresstotal (address, number)
{_OF_ADDRESSES.format(sign="", rows="console_addressrollup")};
"""
