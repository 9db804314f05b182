# Safe to run again: users are found or made, a service that is registered is left alone.
set -eu
openstack project create --or-show service

member() { # user
  openstack user create --or-show --password "$SERVICE_PASSWORD" "$1"
  openstack role add --user "$1" --project service service
}

register() { # user, type, container, port and path
  member "$1"
  if openstack service list --column Type --format value | grep -qx "$2"; then return; fi
  openstack service create --name "$1" "$2"
  openstack endpoint create "$2" internal "http://$3:$4"
  openstack endpoint create "$2" public "http://$API_ADDRESS:$4"
}

register glance image glance-api 9292
register placement placement placement-api 8780
register nova compute nova-api '8774/v2.1'
register neutron network neutron-server 9696
register cinder block-storage cinder-api '8776/v3'
register heat orchestration heat-api '8004/v1/%(tenant_id)s'
register gnocchi metric ceilometer-api 8041
register swift object-store swift-proxy-server '8080/v1/AUTH_%(tenant_id)s'

# These sign in and have no API of their own here.
member ceilometer
member aodh
member octavia
