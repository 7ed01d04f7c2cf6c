"""Endpoints of portals, deliveries to them, and every try."""

import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('console', '0013_token'),
    ]

    operations = [
        migrations.CreateModel(
            name='Attempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('took_ms', models.PositiveIntegerField(blank=True, null=True)),
                ('code', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('answer', models.TextField(blank=True, help_text='Its beginning.')),
                ('error', models.CharField(blank=True, max_length=200)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('message', models.UUIDField(default=uuid.uuid4)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('delivered', 'Delivered'), ('failed', 'Failed'), ('cancelled', 'Cancelled')], db_default='waiting', default='waiting', max_length=9)),
                ('next_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), help_text='Not to be tried before.')),
                ('attempts', models.PositiveIntegerField(db_default=0, default=0)),
                ('tries', models.PositiveSmallIntegerField(db_default=0, default=0)),
                ('delivered_at', models.DateTimeField(blank=True, null=True)),
                ('code', models.PositiveSmallIntegerField(blank=True, help_text='The status last answered.', null=True)),
                ('error', models.CharField(blank=True, db_default='', max_length=200)),
                ('replayed_at', models.DateTimeField(blank=True, null=True)),
                ('version', models.PositiveIntegerField(db_default=0, default=0)),
            ],
            options={
                'verbose_name': 'delivery',
                'verbose_name_plural': 'deliveries',
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='Webhook',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('url', models.CharField(max_length=2000, verbose_name='address')),
                ('events', models.JSONField(blank=True, default=list, help_text='Names; none: all there are.')),
                ('added_at', models.DateTimeField(blank=True, null=True)),
                ('is_active', models.BooleanField(default=True)),
                ('disabled_at', models.DateTimeField(blank=True, null=True)),
                ('why_disabled', models.CharField(blank=True, max_length=200)),
                ('removed_at', models.DateTimeField(blank=True, null=True)),
                ('rotated_at', models.DateTimeField(blank=True, null=True)),
                ('tested_at', models.DateTimeField(blank=True, null=True)),
                ('replayed_at', models.DateTimeField(blank=True, help_text='When all that failed was last sent again.', null=True)),
                ('secret', models.TextField(blank=True)),
                ('previous_secret', models.TextField(blank=True)),
                ('delivered_at', models.DateTimeField(blank=True, help_text='When it last took something; about.', null=True)),
                ('failing_since', models.DateTimeField(blank=True, null=True)),
                ('failures', models.PositiveIntegerField(default=0, help_text='In a row, that say it should be left in peace.')),
                ('resting_until', models.DateTimeField(blank=True, null=True)),
                ('version', models.PositiveIntegerField(default=0)),
            ],
            options={
                'verbose_name': 'endpoint',
                'verbose_name_plural': 'endpoints',
                'default_permissions': ('view',),
            },
        ),
        migrations.AddField(
            model_name='event',
            name='dispatched_at',
            field=models.DateTimeField(blank=True, help_text='When each endpoint was given its delivery.', null=True),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(condition=models.Q(('dispatched_at', None), ('withdrawn_at', None)), fields=['due_at', 'entry'], name='event_undispatched'),
        ),
        migrations.AddField(
            model_name='attempt',
            name='replayed_by',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='delivery',
            name='event',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='console.event'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='replayed_by',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='attempt',
            name='delivery',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='log', to='console.delivery'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='webhook',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='console.webhook'),
        ),
        migrations.AddConstraint(
            model_name='attempt',
            constraint=models.UniqueConstraint(fields=('delivery', 'number'), name='attempt_number'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['webhook', '-id'], name='delivery_of_webhook'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state', 'waiting')), fields=['webhook', 'next_at', 'id'], name='delivery_due'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state', 'failed')), fields=['webhook', '-id'], name='delivery_failed'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.UniqueConstraint(fields=('webhook', 'event'), name='delivery_once'),
        ),
    ]
